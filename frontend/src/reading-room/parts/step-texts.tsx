import type { Side, Step } from "../../api/reading";
import { stepRating } from "../changes";
import { stepPlace } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { TextField, WriteButton } from "./text-field";

const MOST_LETTERS = 4000;

interface Props {
  readonly room: Room;
  readonly state: RoomState;
  readonly side: Side;
  readonly step: Step;
}

function Buttons({ room, state, side, step }: Props) {
  if (!room.canRate) return null;
  const { note, edited_text } = stepRating(state.reading, step.uid);
  const place = stepPlace(side, step);
  return (
    <>
      <WriteButton
        name={edited_text ? "edit wording" : "edit"}
        label={`Edit the wording of step ${step.position}`}
        shortcut="edit"
        onClick={() => room.texts.start({ field: "wording", step }, place)}
      />
      <WriteButton
        name={note ? "edit note" : "note"}
        label={`${note ? "Edit the note" : "Note"} on step ${step.position}`}
        shortcut="note"
        onClick={() => room.texts.start({ field: "note", step }, place)}
      />
    </>
  );
}

/** The reader's own wording of a step, and a note on it. */
function Fields({ room, state, step }: Props) {
  const { note, edited_text } = stepRating(state.reading, step.uid);
  const { writing } = state;
  const isOpen = (field: "note" | "wording"): boolean =>
    writing?.field === field && writing.step.uid === step.uid;
  return (
    <>
      {edited_text && !isOpen("wording") && <p class="note">You would write: {edited_text}</p>}
      <TextField
        room={room}
        state={state}
        writing={{ field: "wording", step }}
        label={`Step ${step.position} as you would write it`}
        placeholder="The step as you would write it. No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
      {note && !isOpen("note") && <p class="note">{note}</p>}
      <TextField
        room={room}
        state={state}
        writing={{ field: "note", step }}
        label="Note on this step"
        placeholder="What should the model have said? No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
    </>
  );
}

export const StepTexts = { Buttons, Fields };

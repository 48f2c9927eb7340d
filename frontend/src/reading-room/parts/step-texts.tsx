import type { Side, Step } from "../../api/reading";
import { stepRating } from "../changes";
import { hasTwo, stepPlace } from "../place";
import { isSameOwner, type partsOf, partsOfWording } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { Cap } from "./cap";
import { TextField, WriteButton } from "./text-field";

const MOST_LETTERS = 4000;

interface Props {
  readonly room: Room;
  readonly state: RoomState;
  readonly side: Side;
  readonly step: Step;
}

/** What else can be said of a step: seen where the focus or the pointer is, and over the card's edge, so that no card
 * grows when it gets the focus. */
export function StepTools({ room, state, side, step }: Props) {
  if (!room.canRate) return null;
  const { note, edited_text } = stepRating(state.reading, step.uid);
  const place = stepPlace(side, step);
  const owner = { kind: "step", uid: step.uid } as const;
  const isAdding = state.fresh !== null && isSameOwner(state.fresh.owner, owner);
  return (
    <span class="step-tools">
      <WriteButton
        name="edit"
        label={`Edit ${edited_text ? "your" : "the"} wording of step ${step.position}`}
        shortcut="edit"
        onClick={() => room.texts.start({ field: "wording", step }, place)}
      />
      <WriteButton
        name="note"
        label={`${note ? "Edit the note" : "Note"} on step ${step.position}`}
        shortcut="note"
        onClick={() => room.texts.start({ field: "note", step }, place)}
      />
      <button
        type="button"
        class="inline note-button"
        aria-label={`Draw a further region for step ${step.position}`}
        aria-pressed={isAdding}
        onClick={() => {
          if (isAdding) return room.regions.remove();
          room.goTo(place);
          room.regions.add(owner);
        }}
      >
        region <Cap of="add-region" isApart />
      </button>
    </span>
  );
}

/** The numbers that the model wrote are its own pixels and tell a reader nothing: the region's label stands for them. */
export function Worded({ parts }: { readonly parts: ReturnType<typeof partsOf> }) {
  return (
    <>
      {parts.map(({ text, label }, index) =>
        label === null ? (
          text
        ) : (
          <span key={index} class="region-chip" title={`As written: ${text}`}>
            region {label}
          </span>
        ),
      )}
    </>
  );
}

/** The reader's own wording of a step, and a note on it. */
export function StepTexts({ room, state, side, step }: Props) {
  const { note, edited_text } = stepRating(state.reading, step.uid);
  const of = hasTwo(state.reading) ? side : undefined;
  const ofOutput = of ? ` of output ${of.toUpperCase()}` : "";
  const { writing } = state;
  const isOpen = (field: "note" | "wording"): boolean =>
    writing?.field === field && writing.step.uid === step.uid;
  return (
    <>
      {edited_text && !isOpen("wording") && (
        <p class="note">
          You would write: <Worded parts={partsOfWording(step, edited_text)} />
        </p>
      )}
      <TextField
        room={room}
        state={state}
        writing={{ field: "wording", step }}
        label={`Step ${step.position}${ofOutput} as you would write it`}
        of={of}
        placeholder="The step as you would write it. No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
      {note && !isOpen("note") && <p class="note">{note}</p>}
      <TextField
        room={room}
        state={state}
        writing={{ field: "note", step }}
        label={of ? `Note on step ${step.position}${ofOutput}` : "Note on this step"}
        of={of}
        placeholder="What should the model have said? No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
    </>
  );
}

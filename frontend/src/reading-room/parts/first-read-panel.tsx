import type { FirstReadForm } from "../../api/reading";
import { earlierFirstReads } from "../earlier";
import { firstRead, inWords, openFirstRead, sayingFirst, type When, withFindingToggled } from "../first-read";
import type { FirstReadPart, Place } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { Cap } from "./cap";
import { Earlier } from "./earlier";
import { Item } from "./item";
import { RegionsHere } from "./own-regions";
import { FIVE, Segments } from "./segments";
import { TextField, WriteButton } from "./text-field";

const MOST_LETTERS = 1000;
const NUM_PLAIN_DIGITS = 9;

interface Props {
  readonly room: Room;
  readonly state: RoomState;
}

const placeOf = (part: FirstReadPart): Place => ({ kind: "first-read", side: "a", part });

const isAt = ({ place }: RoomState, part: FirstReadPart): boolean =>
  place.kind === "first-read" && place.part === part;

/** What the reader sees on the film alone: answered and locked before any output is shown. */
export function FirstReadPanel({ room, state }: Props) {
  const { reading } = state;
  const form = reading.first_read;
  if (form === null) return null;
  return (
    <section class="answer first-read" aria-label="First read">
      <p class="quiet">
        Read the film by itself first. The outputs
        {reading.is_adjudication && ", and what the earlier readers said,"} are shown once your first read is
        locked, and it cannot be changed after that; what you think then is kept beside it.
      </p>
      <FirstReadFields room={room} state={state} form={form} when="first" />
    </section>
  );
}

/** After the reveal: what was said first, and, where the reader has another mind now, what is thought after. */
export function FirstReadSummary({ room, state }: Props) {
  const { reading } = state;
  const form = reading.first_read;
  const earlier = earlierFirstReads(reading);
  if (form?.first == null) {
    return earlier.length === 0 ? null : (
      <section class="answer first-read" aria-label="First reads">
        <Earlier words={earlier} />
      </section>
    );
  }
  const isEditing = state.place.kind === "first-read";
  const numDrawn = reading.drawn_regions.filter((drawn) => drawn.first_read === "first").length;
  return (
    <section class="answer first-read" aria-label="Your first read">
      <p>
        <span class="quiet">Your first read</span> {inWords(form.first)}
        {numDrawn > 0 && (
          <span class="quiet">
            {numDrawn === 1 ? " · 1 region, seen with all" : ` · ${numDrawn} regions, seen with all`}{" "}
            <Cap of="all-regions" />
          </span>
        )}{" "}
        {room.canRate && !isEditing && (
          <WriteButton
            name={form.after_reveal ? "edit" : "changed my mind"}
            label="Say what you think after the reveal"
            shortcut="change-of-mind"
            onClick={() => room.walking.toChangeOfMind()}
          />
        )}
      </p>
      {form.after_reveal && !isEditing && (
        <p>
          <span class="quiet">After the reveal</span> {inWords(form.after_reveal)}
        </p>
      )}
      <Earlier words={earlier} />
      {isEditing && openFirstRead(reading) === "after_reveal" && (
        <>
          <h2>
            What you think now{" "}
            <span class="quiet">
              <Cap of="cancel" /> goes back
            </span>
          </h2>
          <FirstReadFields room={room} state={state} form={form} when="after_reveal" />
        </>
      )}
    </section>
  );
}

function FirstReadFields(props: Props & { readonly form: FirstReadForm; readonly when: When }) {
  const { room, state, form, when } = props;
  const said = firstRead(state.reading, when);
  const writing = { field: "impression", when } as const;
  const say = (part: Parameters<typeof sayingFirst>[2]): void =>
    room.change(sayingFirst(room.state.reading, when, part));
  return (
    <>
      <Item
        label="Your answer"
        class="row question-row wide"
        isCurrent={isAt(state, "answer")}
        onEnter={() => room.goTo(placeOf("answer"))}
      >
        {form.form === "choice" ? (
          <Segments
            name={`choice-${when}`}
            title="Your answer"
            choices={form.choices.map((value, at) => ({ value, label: value, cap: capOf(at) }))}
            value={said.choice || null}
            disabled={!room.canRate}
            onChoose={(choice) => say({ choice })}
          />
        ) : (
          <Segments
            name={`findings-${when}`}
            title="Findings that you see"
            choices={form.findings_offered.map((value, at) => ({ value, label: value, cap: capOf(at) }))}
            value={said.findings}
            disabled={!room.canRate}
            isOfSeveral
            onChoose={(finding) =>
              say({ findings: withFindingToggled(firstRead(room.state.reading, when).findings, finding) })
            }
          />
        )}
      </Item>
      {form.form === "findings" && (
        <Item
          label="Impression"
          class="row question-row"
          isCurrent={isAt(state, "impression")}
          onEnter={() => room.goTo(placeOf("impression"))}
        >
          <span class="row-label">Impression</span>
          {said.impression && state.writing?.field !== "impression" && <span>{said.impression}</span>}
          {room.canRate && state.writing?.field !== "impression" && (
            <WriteButton
              name={said.impression ? "edit" : "write a line"}
              label={said.impression ? "Edit your impression" : "Write your impression"}
              shortcut="note"
              onClick={() => room.texts.start(writing, placeOf("impression"))}
            />
          )}
          <TextField
            room={room}
            state={state}
            writing={writing}
            label="Your impression"
            placeholder="One line. No names, dates or numbers of patients."
            maxLength={MOST_LETTERS}
          />
        </Item>
      )}
      <Item
        label="Confidence"
        class="row question-row"
        isCurrent={isAt(state, "confidence")}
        onEnter={() => room.goTo(placeOf("confidence"))}
      >
        <span class="row-label">Confidence</span>
        <Segments
          name={`confidence-${when}`}
          title="How sure are you, 1 to 5?"
          choices={FIVE}
          value={said.confidence}
          disabled={!room.canRate}
          onChoose={(confidence) => say({ confidence })}
        />
        <span class="quiet">optional; 5 is sure</span>
      </Item>
      {state.place.kind === "first-read" && (
        <>
          <RegionsHere room={room} state={state} />
          {state.reading.drawn_regions.some((drawn) => drawn.first_read === when) && (
            <p class="quiet">
              A region says that something is suspicious there, and is tied to no finding: the impression says
              what it is.
            </p>
          )}
        </>
      )}
    </>
  );
}

/** The key of the option in this place: 1 to 9, and from the tenth on with Shift. */
function capOf(at: number): string | null {
  if (at < NUM_PLAIN_DIGITS) return String(at + 1);
  return at < 2 * NUM_PLAIN_DIGITS ? `⇧${at + 1 - NUM_PLAIN_DIGITS}` : null;
}

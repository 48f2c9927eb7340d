import type { Completion, Side } from "../../api/reading";
import { answerTwinName, answerTwinOf, asksOfAnswers } from "../answer-twins";
import { answerRating } from "../changes";
import { earlierRewrites } from "../earlier";
import { notSaidInWords } from "../not-said";
import { isWellFormed, type Place } from "../place";
import { answerQuestions, keyOf } from "../questions";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { stillSaidInWords } from "../still-said";
import { Earlier } from "./earlier";
import { MissedFindings } from "./missed-findings";
import { QuestionRow } from "./question-row";
import { TextField, WriteButton } from "./text-field";
import { TwinChip } from "./twin-chip";

const MOST_LETTERS = 8000;

export function AnswerCard(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly completion: Completion;
}) {
  const { room, state, completion } = props;
  const { reading } = state;
  const { side, uid } = completion;
  const { rewrite } = answerRating(reading, uid);
  const writing = { field: "rewrite", completion } as const;
  const questions = answerQuestions(reading, completion);
  const placeOf = (question: string): Place => ({ kind: "answer", side, question });
  const [first] = questions;
  const of = reading.completions.length > 1 ? `output ${side.toUpperCase()}` : "";
  return (
    <section class="answer" aria-label={of ? `Answer of ${of}` : "Answer"}>
      <p class="answer-text">
        {completion.answer || <span class="quiet">The output has no answer that could be read.</span>}{" "}
        <AnswerTwin room={room} state={state} side={side} />{" "}
        {room.canRate && (
          <WriteButton
            name={rewrite ? "edit rewrite" : "rewrite"}
            label={rewrite ? "Edit your rewrite of the answer" : "Rewrite the answer"}
            shortcut="edit"
            onClick={() => room.texts.start(writing, first ? placeOf(keyOf(first)) : state.place)}
          />
        )}
      </p>
      {completion.beside.map((said) => (
        <p class="quiet beside">Also written: {said}</p>
      ))}
      <TextField
        room={room}
        state={state}
        writing={writing}
        label={of ? `The answer of ${of} as you would write it` : "The answer as you would write it"}
        of={of ? side : undefined}
        placeholder="The answer as you would write it. No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
      {rewrite && state.writing?.field !== "rewrite" && <p class="note">You would write: {rewrite}</p>}
      <Disagreement state={state} side={side} />
      <Earlier words={earlierRewrites(reading, uid)} />
      {!isWellFormed(completion) && <AsWritten completion={completion} />}
      {questions.map((question) => (
        <QuestionRow
          key={keyOf(question)}
          room={room}
          state={state}
          question={question}
          place={placeOf(keyOf(question))}
          of={of}
        />
      ))}
      <MissedFindings room={room} state={state} completion={completion} />
    </section>
  );
}

/** Of the answer with its steps. Seen while the answer has the focus; its place is kept, so that no row moves with
 * the focus. */
function Disagreement({ state, side }: { readonly state: RoomState; readonly side: Side }) {
  const { reading, place } = state;
  const said = [stillSaidInWords(reading, side), notSaidInWords(reading, side)].join(" ").trim();
  if (said === "" || reading.signed_at !== null) return null;
  const isHere = place.kind === "answer" && place.side === side;
  return <p class={`still-said quiet${isHere ? "" : " away"}`}>{said}</p>;
}

/** The other output answers the same. */
function AnswerTwin(props: { readonly room: Room; readonly state: RoomState; readonly side: Side }) {
  const { room, state, side } = props;
  if (answerTwinOf(state.reading, side) === null) return null;
  return (
    <TwinChip
      side={side}
      position={null}
      name={answerTwinName(side)}
      canRate={room.canRate && asksOfAnswers(state.reading)}
      onRate={() => room.rateAsTwin(side, null)}
    />
  );
}

/** A malformed completion is shown as what it is; its steps need no rating. */
function AsWritten({ completion }: { readonly completion: Completion }) {
  return (
    <div class="as-written">
      <p>
        <span class="chip bad">malformed</span> {completion.problems.join(" ")} Rate the answer alone; the
        whole text as it was written:
      </p>
      <pre>{completion.text}</pre>
    </div>
  );
}

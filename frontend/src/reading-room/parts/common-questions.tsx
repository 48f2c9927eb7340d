import type { Place } from "../place";
import { caseQuestions, keyOf, voteQuestions } from "../questions";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { QuestionRow } from "./question-row";

interface Props {
  readonly room: Room;
  readonly state: RoomState;
}

/** What is asked between two outputs. */
export function Votes({ room, state }: Props) {
  const { reading, place } = state;
  return (
    <>
      {voteQuestions(reading).map((question) => {
        const here: Place = { kind: "vote", side: place.side, question: keyOf(question) };
        return (
          <QuestionRow key={keyOf(question)} room={room} state={state} question={question} place={here} />
        );
      })}
    </>
  );
}

/** What is asked of the case as a whole. */
export function CaseQuestions({ room, state }: Props) {
  const { reading, place } = state;
  const questions = caseQuestions(reading);
  if (questions.length === 0) return null;
  return (
    <section class="answer" aria-label="The case">
      {questions.map((question) => {
        const here: Place = { kind: "case", side: place.side, question: keyOf(question) };
        return (
          <QuestionRow key={keyOf(question)} room={room} state={state} question={question} place={here} />
        );
      })}
    </section>
  );
}

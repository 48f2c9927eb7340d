import type { Side, Step } from "../../api/reading";
import { isFolded, isRight } from "../not-asked";
import { type Place, samePlace, stepPlace } from "../place";
import { keyOf, ownQuestions, type Question } from "../questions";
import { labelOf } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { QuestionRow } from "./question-row";

interface Props {
  readonly room: Room;
  readonly state: RoomState;
  readonly side: Side;
  readonly step: Step;
}

/** The reader study's own questions on a step, and on each of its regions; what is not asked is one quiet line. */
export function OwnQuestions({ room, state, side, step }: Props) {
  const questions = ownQuestions(state.reading, step);
  const isAway = (question: Question): boolean =>
    isFolded(state.reading, question, state.opened) && !samePlace(state.place, placeOf(side, step, question));
  const folded = questions.filter(isAway);
  return (
    <>
      {questions
        .filter((question) => !isAway(question))
        .map((question) => {
          const region = step.regions.find(({ uid }) => uid === question.region);
          const place = placeOf(side, step, question);
          const of = region ? `region ${labelOf(step, region)}` : `step ${step.position}`;
          return (
            <QuestionRow
              key={keyOf(question)}
              room={room}
              state={state}
              question={question}
              place={place}
              of={of}
              part={region && step.regions.length > 1 ? `region ${labelOf(step, region)}` : undefined}
            />
          );
        })}
      <Folded room={room} state={state} side={side} step={step} questions={folded} />
    </>
  );
}

function placeOf(side: Side, step: Step, question: Question): Place {
  return { ...stepPlace(side, step, question.region ?? undefined), question: keyOf(question) } as Place;
}

function Folded({ room, state, side, step, questions }: Props & { readonly questions: readonly Question[] }) {
  const [first] = questions;
  if (first === undefined) return null;
  const names = questions.map(({ criterion }) => criterion.name.toLowerCase()).join(", ");
  return (
    <p class="not-asked quiet" title={`Not asked: ${names}`}>
      {isRight(state.reading, step) ? "No error to name." : "Not there: no place or severity to name."}
      {room.canRate && (
        <button
          type="button"
          class="inline"
          aria-label={`Answer all the same for step ${step.position}: ${names}`}
          onClick={() => room.walking.open(step.uid, placeOf(side, step, first))}
        >
          answer all the same
        </button>
      )}
    </p>
  );
}

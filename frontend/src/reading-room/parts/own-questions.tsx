import type { Side, Step } from "../../api/reading";
import { type Place, stepPlace } from "../place";
import { keyOf, ownQuestions } from "../questions";
import { labelOf } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { QuestionRow } from "./question-row";

/** The reader study's own questions on a step, and on each of its regions. */
export function OwnQuestions(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly side: Side;
  readonly step: Step;
}) {
  const { room, state, side, step } = props;
  return (
    <>
      {ownQuestions(state.reading, step).map((question) => {
        const region = step.regions.find(({ uid }) => uid === question.region);
        const key = keyOf(question);
        const place = { ...stepPlace(side, step, region?.uid), question: key } as Place;
        const of = region ? `region ${labelOf(step, region)}` : `step ${step.position}`;
        return <QuestionRow key={key} room={room} state={state} question={question} place={place} of={of} />;
      })}
    </>
  );
}

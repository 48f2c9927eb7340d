import { type Completion, CRITERIA, type Criterion } from "../../api/reading";
import { answerRating, castVote, rateAnswer, vote } from "../changes";
import { isWellFormed } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { Item } from "./item";
import { FIVE, Segments } from "./segments";

const NAMES: Record<Criterion, string> = {
  relevance: "Relevant",
  correctness: "Correct",
  completeness: "Complete",
};

interface Props {
  readonly room: Room;
  readonly state: RoomState;
}

export function AnswerCard({ room, state, completion }: Props & { readonly completion: Completion }) {
  const { reading, place } = state;
  const rating = answerRating(reading, completion.uid);
  return (
    <section class="answer" aria-label="Answer">
      <p class="answer-text">
        {completion.answer || <span class="quiet">The output has no answer that could be read.</span>}
      </p>
      {!isWellFormed(completion) && <AsWritten completion={completion} />}
      {CRITERIA.map((criterion) => (
        <Item
          key={criterion}
          label={`Answer: ${NAMES[criterion]}`}
          class="row"
          isCurrent={
            place.kind === "answer" && place.side === completion.side && place.criterion === criterion
          }
          onEnter={() => room.goTo({ kind: "answer", side: completion.side, criterion })}
        >
          <span class="row-label">{NAMES[criterion]}</span>
          <Segments
            name={`${criterion}-${completion.uid}`}
            title={`${NAMES[criterion]}, 1 to 5`}
            choices={FIVE}
            value={rating[criterion]}
            disabled={!room.canRate}
            onChoose={(points) => room.change(rateAnswer(state.reading, completion.uid, criterion, points))}
          />
        </Item>
      ))}
    </section>
  );
}

/** A malformed completion is shown as what it is; its steps need no rating. */
function AsWritten({ completion }: { readonly completion: Completion }) {
  return (
    <div class="as-written">
      <p>
        <span class="chip bad">malformed</span> {completion.problems.join("; ")}. Rate the answer alone; the
        whole text as it was written:
      </p>
      <pre>{completion.text}</pre>
    </div>
  );
}

const VOTES = [
  { value: "a", label: "A" },
  { value: "tie", label: "tie" },
  { value: "b", label: "B" },
] as const;

export function VoteRow({ room, state }: Props) {
  const { reading, place } = state;
  return (
    <Item
      label="Vote"
      class="row vote"
      isCurrent={place.kind === "vote"}
      onEnter={() => room.goTo({ kind: "vote", side: place.side })}
    >
      <span class="vote-label">Better overall</span>
      <Segments
        name="vote"
        title="Which output is better overall?"
        choices={VOTES}
        value={vote(reading, "overall")}
        disabled={!room.canRate}
        onChoose={(side) => room.change(castVote(side))}
      />
    </Item>
  );
}

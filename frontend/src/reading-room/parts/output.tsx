import type { Completion } from "../../api/reading";
import { numLeftOn } from "../gaps";
import { hasTwo, isWellFormed } from "../place";
import { pointsNowhere } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { AnswerCard } from "./answer-card";
import { StepCard } from "./step-card";

/** One output: its reasoning, step by step, and its answer, with what the reader says of them. */
export function Output(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly completion: Completion;
}) {
  const { room, state, completion } = props;
  const { reading, isComparing, place } = state;
  const { side, steps } = completion;
  const isBeside = hasTwo(reading) && isComparing;
  return (
    <div class={`output of-${side}${isBeside && place.side === side ? " focused" : ""}`}>
      {isBeside && <h2 class="output-heading visually-hidden">Output {side.toUpperCase()}</h2>}
      <h2>Reasoning</h2>
      <Flaws completion={completion} />
      {steps.length === 0 && <p class="quiet">No reasoning step could be read.</p>}
      {steps.map((step) => (
        <StepCard key={step.uid} room={room} state={state} side={side} step={step} />
      ))}
      {!isWellFormed(completion) && steps.length > 0 && (
        <p class="quiet">The output is malformed: rating its steps is optional.</p>
      )}
      <h2>Answer</h2>
      <AnswerCard room={room} state={state} completion={completion} />
    </div>
  );
}

/** Always in sight above the list: whoever goes on by keys alone sees here whose step it is. */
export function OutputNames({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const { reading, isComparing, place } = state;
  if (!hasTwo(reading)) return null;
  const shown = reading.completions.filter(({ side }) => isComparing || side === place.side);
  if (shown.length === 0) return null;
  return (
    <div class={`output-names${isComparing ? " beside" : ""}`}>
      {shown.map((completion) => (
        <OutputName
          key={completion.uid}
          room={room}
          state={state}
          completion={completion}
          isBeside={isComparing}
        />
      ))}
    </div>
  );
}

function OutputName(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly completion: Completion;
  readonly isBeside: boolean;
}) {
  const { room, state, completion, isBeside } = props;
  const { reading, place, turn } = state;
  const { side } = completion;
  const name = `Output ${side.toUpperCase()}`;
  const numLeft = numLeftOn(reading, side);
  return (
    <p class={`output-name of-${side}${isBeside && place.side === side ? " focused" : ""}`}>
      {isBeside ? (
        <button type="button" class="inline" onClick={() => room.walking.turnTo(side)}>
          {name}
        </button>
      ) : (
        name
      )}{" "}
      <span class="quiet">{numLeft === 0 ? "rated" : `${numLeft} left`}</span>{" "}
      {/* Said aloud from the column, which stays where this comes and goes. */}
      {place.side === side && turn !== null && (
        <span class="arrival" aria-hidden="true">
          {turn}
        </span>
      )}
    </p>
  );
}

/** How many steps point nowhere, or at no place in particular. */
function Flaws({ completion }: { readonly completion: Completion }) {
  const { steps } = completion;
  const withoutRegion = steps.filter(pointsNowhere).length;
  const problems = steps.flatMap((step) => step.regions.map((region) => region.problem));
  const numOf = (problem: string): number => problems.filter((one) => one === problem).length;
  const counts: [number, string][] = [
    [withoutRegion, "without a region"],
    [numOf("outside_image"), "outside the image"],
    [numOf("no_area"), "of no area"],
    [numOf("inverted"), "with swapped corners"],
    [numOf("whole_image"), "over the whole image"],
  ];
  const told = counts.filter(([number]) => number > 0);
  if (told.length === 0) return null;
  return (
    <p class="flaws quiet">
      {told.map(([number, what]) => (
        <span key={what} class="chip warn">
          {number} {what}
        </span>
      ))}
    </p>
  );
}

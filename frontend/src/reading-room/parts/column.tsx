import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Reading, Side } from "../../api/reading";
import { moment } from "../../moments";
import type { Addresses } from "../addresses";
import { hasDisputes } from "../disputes";
import { earlierSights } from "../earlier";
import { filmsOf, ratedName } from "../films";
import { numLeftOn } from "../gaps";
import { completionOn, hasTwo } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { keepListClearOf } from "../scrolling";
import type { Session } from "../session";
import type { SessionState } from "../session-state";
import { AmendmentBanner } from "./amendment";
import { LockedBanner, SaveBanner } from "./banners";
import { Cap } from "./cap";
import { CaseQuestions } from "./common-questions";
import { Earlier } from "./earlier";
import { FeedbackPanel } from "./feedback";
import { FirstReadPanel, FirstReadSummary } from "./first-read-panel";
import { Foot } from "./foot";
import { NoCase } from "./no-case";
import { Output, OutputNames } from "./output";

interface Props {
  readonly session: Session;
  readonly state: SessionState;
  readonly addresses: Addresses;
  /** Every value's meaning is listed. */
  readonly showsScales: boolean;
  readonly onToggleScales: () => void;
  /** What is said above everything else. */
  readonly children?: ComponentChildren;
}

export function Column(props: Props) {
  const { session, state, addresses } = props;
  const { stage } = state;
  if (stage.kind !== "open") return <NoCase session={session} state={state} addresses={addresses} />;
  const { room } = stage;
  const { reading, isComparing, place } = stage.state;
  const isOfOne = hasTwo(reading) && !isComparing && reading.stage !== "first_read";
  return (
    <aside class="room-column" aria-label="Output and ratings">
      {hasTwo(reading) && <Tabs room={room} state={stage.state} />}
      <p class="visually-hidden" role="status">
        {stage.state.turn}
      </p>
      <Adjudication reading={reading} />
      {stage.save.problem === null && <Paused reading={reading} />}
      <NoFirstRead reading={reading} />
      <OutputNames room={room} state={stage.state} />
      <div class={`room-list${isOfOne ? ` of-${place.side}` : ""}`}>
        <div
          class={`room-scroll${isComparing ? " comparing" : ""}`}
          id="output"
          role={hasTwo(reading) && !isComparing ? "tabpanel" : undefined}
        >
          {props.children}
          <LockedBanner reading={reading} addresses={addresses} />
          <AmendmentBanner key={reading.uid} session={session} reading={reading} save={stage.save} />
          <FeedbackPanel room={room} feedback={reading.feedback} />
          {reading.is_training && reading.signed_at === null && (
            <p class="quiet">
              A practice case: once it is signed you see what is known of it, also on the film.
            </p>
          )}
          {reading.adjudication && <Earlier words={earlierSights(reading)} />}
          {reading.instructions && (
            <details class="instructions">
              <summary>Instructions of this reader study</summary>
              <p>{reading.instructions}</p>
            </details>
          )}
          <h2>
            Question
            {filmsOf(reading).length > 0 && ` about the rated film, ${ratedName(reading)}`}
          </h2>
          <p class="question">{reading.question}</p>
          {reading.stage === "first_read" ? (
            <FirstReadPanel room={room} state={stage.state} />
          ) : (
            <FirstReadSummary room={room} state={stage.state} />
          )}
          <Outputs room={room} state={stage.state} />
          {reading.stage !== "first_read" && <CaseQuestions room={room} state={stage.state} />}
        </div>
        <Over>
          <SaveBanner session={session} state={state} addresses={addresses} />
        </Over>
      </div>
      <Foot {...props} room={room} roomState={stage.state} />
    </aside>
  );
}

/** What is open goes on; whoever finds no next case should not think that anything went wrong. */
function Paused({ reading }: { readonly reading: Reading }) {
  if (reading.pause === null || reading.signed_at !== null) return null;
  const { since, comfort } = reading.pause;
  return (
    <p class="no-first-read" role="status">
      <strong>Paused{since && ` since ${moment(since)}`}:</strong> this case can be finished, and no new one
      opens. {comfort}
    </p>
  );
}

/** Above the list, which begins at the first step, perhaps below its question. */
function NoFirstRead({ reading }: { readonly reading: Reading }) {
  if (!reading.skips_first_read || reading.signed_at !== null) return null;
  return (
    <p class="no-first-read" role="status">
      <strong>No first read on this case:</strong> the model's output is here at once.
    </p>
  );
}

/** Above the list, which begins at the first thing that is disputed, often far down. */
function Adjudication({ reading }: { readonly reading: Reading }) {
  if (reading.adjudication === null) return null;
  return (
    <p class="adjudication quiet">
      Adjudication: what {earlierReaders(reading.adjudication.readings.length)} said stands beside each item,
      and the regions, R1, R2 …, are on the film with it.{" "}
      {hasDisputes(reading) ? (
        <>
          Yours decides what is disputed, <Cap of="next-disputed" /> goes to the next of it. On the rest they
          agree, or nearly, and their word stands unless you say otherwise.
        </>
      ) : (
        "Your word decides."
      )}
      {reading.criteria.some(({ finding }) => finding !== "") &&
        " Of what a reader struck out, perhaps by oversight, you are asked below whether it is there."}
    </p>
  );
}

function earlierReaders(number: number): string {
  return number === 1 ? "an earlier reader" : `${number} earlier readers`;
}

/** Over the end of the list. */
function Over({ children }: { readonly children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? keepListClearOf(box.current) : undefined), []);
  return (
    <div class="room-banners" ref={box}>
      {children}
    </div>
  );
}

function Outputs({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const { reading, place, isComparing } = state;
  if (hasTwo(reading) && isComparing) {
    return (
      <div class="side-by-side">
        {reading.completions.map((completion) => (
          <Output key={completion.uid} room={room} state={state} completion={completion} />
        ))}
      </div>
    );
  }
  const completion = completionOn(reading, place.side);
  // By a key of its own, so that the other one is seen to come.
  return completion && <Output key={completion.uid} room={room} state={state} completion={completion} />;
}

function Tabs({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const { reading, place, isComparing } = state;
  const turn = (side: Side): void => {
    if (isComparing) room.perform({ kind: "compare" });
    room.walking.turnTo(side);
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label="Outputs">
        {(["a", "b"] as const).map((side) => {
          const numLeft = numLeftOn(reading, side);
          const isShown = place.side === side;
          return (
            <button
              key={side}
              type="button"
              role="tab"
              class={`of-${side}`}
              aria-selected={isShown}
              aria-controls="output"
              tabIndex={isShown ? 0 : -1}
              onKeyDown={(event) => {
                if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
                  event.preventDefault();
                  room.walking.turnTo(place.side === "a" ? "b" : "a");
                }
              }}
              onClick={() => turn(side)}
            >
              Output {side.toUpperCase()} <span class="quiet">{numLeft === 0 ? "✓" : `${numLeft} left`}</span>
            </button>
          );
        })}
      </div>
      <button
        type="button"
        class="compare"
        aria-pressed={isComparing}
        aria-disabled={state.film.kind !== "shown"}
        onClick={() => room.perform({ kind: "compare" })}
      >
        Compare <Cap of="compare" />
      </button>
    </div>
  );
}

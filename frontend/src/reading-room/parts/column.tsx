import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { csrfToken } from "../../api/client";
import type { Side } from "../../api/reading";
import type { Addresses } from "../addresses";
import { earlierSights } from "../earlier";
import { gaps, leftToDo, numLeftOn } from "../gaps";
import { completionOn, hasTwo } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { showCurrentItem } from "../scrolling";
import type { Session } from "../session";
import type { SessionState } from "../session-state";
import { LockedBanner, LogInButton, SaveBanner, whoIsOut } from "./banners";
import { Cap } from "./cap";
import { CaseQuestions, Votes } from "./common-questions";
import { Earlier } from "./earlier";
import { FeedbackPanel } from "./feedback";
import { FirstReadPanel, FirstReadSummary } from "./first-read-panel";
import { Output } from "./output";

interface Props {
  readonly session: Session;
  readonly state: SessionState;
  readonly addresses: Addresses;
  /** What is said above everything else. */
  readonly children?: ComponentChildren;
}

export function Column({ session, state, addresses, children }: Props) {
  const { stage } = state;
  if (stage.kind !== "open") return <Beside session={session} state={state} addresses={addresses} />;
  const { room } = stage;
  const { reading, isComparing } = stage.state;
  return (
    <aside class="room-column" aria-label="Output and ratings">
      {hasTwo(reading) && <Tabs room={room} state={stage.state} />}
      <SaveBanner session={session} state={state} />
      <div
        class={`room-scroll${isComparing ? " comparing" : ""}`}
        id="output"
        role={hasTwo(reading) && !isComparing ? "tabpanel" : undefined}
      >
        {children}
        <LockedBanner reading={reading} addresses={addresses} />
        <FeedbackPanel feedback={reading.feedback} />
        {reading.adjudication && (
          <>
            <p class="quiet">
              Adjudication: what {reading.adjudication.readings.length} earlier readers said stands beside
              each item, and their regions, R1, R2 …, are on the film with it. Your word decides.
            </p>
            <Earlier words={earlierSights(reading)} />
          </>
        )}
        {reading.instructions && (
          <details class="instructions">
            <summary>Instructions of this reader study</summary>
            <p>{reading.instructions}</p>
          </details>
        )}
        <h2>Question</h2>
        <p class="question">{reading.question}</p>
        {reading.stage === "first_read" ? (
          <FirstReadPanel room={room} state={stage.state} />
        ) : (
          <FirstReadSummary room={room} state={stage.state} />
        )}
        <Outputs room={room} state={stage.state} />
        {reading.stage !== "first_read" && <CaseQuestions room={room} state={stage.state} />}
      </div>
      <Foot session={session} state={state} room={room} roomState={stage.state} />
    </aside>
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
  return completion && <Output room={room} state={state} completion={completion} />;
}

function Foot(props: {
  readonly session: Session;
  readonly state: SessionState;
  readonly room: Room;
  readonly roomState: RoomState;
}) {
  const { session, state, room, roomState } = props;
  const { reading } = roomState;
  const left = gaps(reading);
  const isFirst = reading.stage === "first_read";
  const name = isFirst ? "Lock and show the outputs" : "Sign and next";
  const busy = isFirst ? "Locking…" : "Signing…";
  return (
    <div class="room-foot">
      {!isFirst && <Votes room={room} state={roomState} />}
      {reading.signed_at !== null && reading.next !== null && (
        <div class="sign">
          <button
            type="button"
            class="button primary"
            disabled={state.isSigning}
            onClick={(event) => event.detail < 2 && void session.sign().then(showCurrentItem)}
          >
            Next case <kbd>Ctrl Enter</kbd>
          </button>
        </div>
      )}
      {reading.signed_at === null && (
        <div class="sign">
          <button
            type="button"
            class="button primary"
            aria-disabled={left.length > 0 || !room.canRate}
            disabled={state.isSigning}
            // The second half of a double click would sign the case that came meanwhile.
            onClick={(event) => event.detail < 2 && void session.sign().then(showCurrentItem)}
          >
            {state.isSigning ? busy : name} <kbd>Ctrl Enter</kbd>
          </button>
          {left.length === 0 ? (
            <p class="left quiet">{isFirst ? "Your first read can be locked." : "Everything is rated."}</p>
          ) : (
            <button
              type="button"
              class="left"
              title={`Goes to the first of: ${left.map((gap) => gap.name).join(", ")}`}
              onClick={() => {
                room.walking.goToFirstGap();
                showCurrentItem();
              }}
            >
              {`Left: ${leftToDo(reading)}`}
            </button>
          )}
        </div>
      )}
      <Hint sentence={roomState.hint} />
      <p class="refusal" role="alert">
        {state.refusal}
      </p>
    </div>
  );
}

/** It takes a line from the list above it, and must not push the current item out of sight. */
function Hint({ sentence }: { readonly sentence: string | null }) {
  useEffect(() => {
    if (sentence) showCurrentItem();
  }, [sentence]);
  return (
    <p class="hint" role="status">
      {sentence}
    </p>
  );
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
              aria-selected={isShown}
              aria-controls="output"
              tabIndex={isShown ? 0 : -1}
              onKeyDown={(event) => {
                if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
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
        onClick={() => room.perform({ kind: "compare" })}
      >
        Compare <Cap of="compare" />
      </button>
    </div>
  );
}

function Beside({ session, state, addresses }: Props) {
  const { stage, login } = state;
  return (
    <aside class="room-column" aria-label="Output and ratings">
      <div class="room-scroll">
        {stage.kind === "opening" && (
          <p class="quiet" role="status">
            Opening the case…
          </p>
        )}
        {stage.kind === "failed" && login.who !== "in" && (
          <div class="banner bad" role="alert">
            <p>
              <strong>The case could not be opened.</strong> {whoIsOut(login)}
            </p>
            <LogInButton session={session} />
          </div>
        )}
        {stage.kind === "failed" && login.who === "in" && (
          <div class="banner bad" role="alert">
            <p>
              <strong>The case could not be opened.</strong> {stage.sentence}
            </p>
            <button type="button" class="button" onClick={() => location.reload()}>
              Try again
            </button>{" "}
            <a class="button quiet" href={addresses.worklist}>
              Worklist
            </a>
          </div>
        )}
        {stage.kind === "finished" && <Finished addresses={addresses} />}
      </div>
    </aside>
  );
}

/** Nothing is left to read; of a pool the reader may take the next case. */
function Finished({ addresses }: { readonly addresses: Addresses }) {
  const goOn = useRef<HTMLButtonElement>(null);
  useEffect(() => goOn.current?.focus(), []);
  return (
    <div class="banner good">
      <p role="status">
        <strong>Signed.</strong>{" "}
        {addresses.take
          ? "The next case of this pool is yours when you take it."
          : "No further case of this reader study is open to you now."}
      </p>
      {addresses.take && (
        <form method="post" action={addresses.take}>
          <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
          <button type="submit" class="button primary" ref={goOn}>
            Take the next case
          </button>
        </form>
      )}
      <a class={addresses.take ? "button quiet" : "button primary"} href={addresses.worklist}>
        Back to the worklist
      </a>
    </div>
  );
}

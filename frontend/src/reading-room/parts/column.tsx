import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { csrfToken } from "../../api/client";
import type { Ending, Side } from "../../api/reading";
import type { Addresses } from "../addresses";
import { hasDisputes } from "../disputes";
import { earlierSights } from "../earlier";
import { numLeftOn } from "../gaps";
import { completionOn, hasTwo } from "../place";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import type { Session } from "../session";
import type { SessionState } from "../session-state";
import { LockedBanner, LogInButton, SaveBanner, whoIsOut } from "./banners";
import { Cap } from "./cap";
import { CaseQuestions } from "./common-questions";
import { Earlier } from "./earlier";
import { FeedbackPanel } from "./feedback";
import { FirstReadPanel, FirstReadSummary } from "./first-read-panel";
import { Foot } from "./foot";
import { Output } from "./output";

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
  if (stage.kind !== "open") return <Beside session={session} state={state} addresses={addresses} />;
  const { room } = stage;
  const { reading, isComparing } = stage.state;
  return (
    <aside class="room-column" aria-label="Output and ratings">
      {hasTwo(reading) && <Tabs room={room} state={stage.state} />}
      <div class="room-list">
        <div
          class={`room-scroll${isComparing ? " comparing" : ""}`}
          id="output"
          role={hasTwo(reading) && !isComparing ? "tabpanel" : undefined}
        >
          {props.children}
          <LockedBanner reading={reading} addresses={addresses} />
          <FeedbackPanel room={room} feedback={reading.feedback} />
          {reading.is_training && reading.signed_at === null && (
            <p class="quiet">
              A practice case: once it is signed you see what is known of it, also on the film.
            </p>
          )}
          {reading.adjudication && (
            <>
              <p class="quiet">
                Adjudication: what {reading.adjudication.readings.length} earlier readers said stands beside
                each item, and their regions, R1, R2 …, are on the film with it.{" "}
                {hasDisputes(reading) ? (
                  <>
                    Yours decides what is disputed, <Cap of="next-disputed" /> goes to the next of it. On the
                    rest they agree, or nearly, and their word stands unless you say otherwise.
                  </>
                ) : (
                  "Your word decides."
                )}
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
        <div class="room-banners">
          <SaveBanner session={session} state={state} addresses={addresses} />
        </div>
      </div>
      <Foot {...props} room={room} roomState={stage.state} />
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

function Beside({ session, state, addresses }: Pick<Props, "session" | "state" | "addresses">) {
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
        {stage.kind === "finished" && (
          <Finished addresses={addresses} ending={stage.ending} isReported={stage.isReported} />
        )}
        {stage.kind === "reported" && <Reporting session={session} state={state} addresses={addresses} />}
        {stage.kind === "out-of-use" && (
          <div class="banner warn" role="alert">
            <p>
              <strong>{stage.caseLabel} is out of use.</strong> {stage.sentence}
            </p>
            {stage.numKept > 0 && (
              <p>
                {stage.numKept === 1 ? "1 change is" : `${stage.numKept} changes are`} kept in this browser
                alone, and will be sent from here if the case comes back.
              </p>
            )}
            <a class="button primary" href={addresses.worklist}>
              Back to the worklist
            </a>
          </div>
        )}
      </div>
    </aside>
  );
}

/** Off the screen already; said plainly while the server does not have it. */
function Reporting({ session, state, addresses }: Pick<Props, "session" | "state" | "addresses">) {
  const { stage, login } = state;
  if (stage.kind !== "reported") return null;
  const { problem, isKept } = stage.save;
  if (problem === null) {
    return (
      <p class="quiet" role="status">
        Reporting the film of {stage.caseLabel} …
      </p>
    );
  }
  return (
    <div class="banner bad" role="alert">
      <p>
        <strong>Your report on {stage.caseLabel} has not been sent.</strong> {problem.sentence} Others may
        still be shown the film until it is.
      </p>
      <p>
        {isKept
          ? "It waits in this browser and goes as soon as the server answers, from this page or from the next case that you open here. Tell an admin if that takes long."
          : "This browser keeps no data: leave this page open until it is sent, and tell an admin."}
      </p>
      {problem.kind === "locked-out" && login.who !== "in" ? (
        <LogInButton session={session} />
      ) : (
        <button type="button" class="button primary" onClick={() => session.retrySaving()}>
          Try now
        </button>
      )}{" "}
      <a class="button quiet" href={addresses.worklist}>
        Worklist
      </a>
    </div>
  );
}

/** Nothing is left to read; of a pool the reader may take the next case. */
function Finished(props: {
  readonly addresses: Addresses;
  readonly ending: Ending;
  readonly isReported: boolean;
}) {
  const { addresses, ending, isReported } = props;
  const take = ending.may_take ? addresses.take : null;
  const { onward } = ending;
  const address = take ?? onward?.address;
  const box = useRef<HTMLDivElement>(null);
  const goOn = (): HTMLElement | null | undefined => box.current?.querySelector<HTMLElement>(".primary");
  useEffect(() => goOn()?.focus(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys of signing go on like Enter on the button.
    <div
      class="banner good"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
        event.preventDefault();
        goOn()?.click();
      }}
    >
      <h2>{ending.study}</h2>
      <p role="status">
        <strong>
          {isReported ? "Reported: the film is out of use until a person has looked." : "Signed."}
        </strong>{" "}
        {ending.sentence}
      </p>
      {address && (
        <form method="post" action={address}>
          <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
          <button type="submit" class="button primary">
            {take ? "Take the next case" : `${onward?.step} of ${onward?.study}`}
          </button>
        </form>
      )}
      <a class={address ? "button quiet" : "button primary"} href={addresses.worklist}>
        Back to the worklist
      </a>
    </div>
  );
}

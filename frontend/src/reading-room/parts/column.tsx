import { useEffect } from "preact/hooks";
import type { Side } from "../../api/reading";
import { completionOn, gaps, hasTwo, isWellFormed } from "../place";
import type { Addresses } from "../reading-room";
import { showCurrentItem } from "../scrolling";
import { leftToDo, type Session, type SessionState } from "../session";
import { AnswerCard, VoteRow } from "./answer-card";
import { LockedBanner, LogInButton, SaveBanner, whoIsOut } from "./banners";
import { StepCard } from "./step-card";

interface Props {
  readonly session: Session;
  readonly state: SessionState;
  readonly addresses: Addresses;
}

export function Column({ session, state, addresses }: Props) {
  const { stage } = state;
  if (stage.kind !== "open") return <Beside session={session} state={state} addresses={addresses} />;
  const { room } = stage;
  const { reading, place } = stage.state;
  const completion = completionOn(reading, place.side);
  const left = gaps(reading);
  return (
    <aside class="room-column" aria-label="Output and ratings">
      {hasTwo(reading) && <Tabs side={place.side} gaps={left} onTurn={(side) => room.turnTo(side)} />}
      <SaveBanner session={session} state={state} />
      <div class="room-scroll" id="output" role={hasTwo(reading) ? "tabpanel" : undefined}>
        <LockedBanner reading={reading} addresses={addresses} />
        <h2>Question</h2>
        <p class="question">{reading.question}</p>
        {completion && (
          <>
            <h2>Reasoning</h2>
            {completion.steps.length === 0 && <p class="quiet">No reasoning step could be read.</p>}
            {completion.steps.map((step) => (
              <StepCard key={step.uid} room={room} state={stage.state} side={place.side} step={step} />
            ))}
            {!isWellFormed(completion) && completion.steps.length > 0 && (
              <p class="quiet">The output is malformed: rating its steps is optional.</p>
            )}
            <h2>Answer</h2>
            <AnswerCard room={room} state={stage.state} completion={completion} />
          </>
        )}
      </div>
      <div class="room-foot">
        {hasTwo(reading) && <VoteRow room={room} state={stage.state} />}
        <div class="sign">
          <button
            type="button"
            class="button primary"
            aria-disabled={left.length > 0 || !room.canRate}
            disabled={state.isSigning || reading.signed_at !== null}
            // The second half of a double click would sign the case that came meanwhile.
            onClick={(event) => event.detail < 2 && void session.sign().then(showCurrentItem)}
          >
            {state.isSigning ? "Signing…" : "Sign and next"} <kbd>Ctrl Enter</kbd>
          </button>
          {left.length === 0 ? (
            <p class="left quiet">Everything is rated.</p>
          ) : (
            <button
              type="button"
              class="left"
              title={`Goes to the first of: ${left.map((gap) => gap.name).join(", ")}`}
              onClick={() => {
                room.goToFirstGap();
                showCurrentItem();
              }}
            >
              {`Left: ${leftToDo(reading)}`}
            </button>
          )}
        </div>
        <Hint sentence={stage.state.hint} />
        <p class="refusal" role="alert">
          {state.refusal}
        </p>
      </div>
    </aside>
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

function Tabs(props: {
  readonly side: Side;
  readonly gaps: ReturnType<typeof gaps>;
  readonly onTurn: (side: Side) => void;
}) {
  return (
    <div class="tabs" role="tablist" aria-label="Outputs">
      {(["a", "b"] as const).map((side) => {
        const numLeft = props.gaps.filter(({ place }) => place.kind !== "vote" && place.side === side).length;
        return (
          <button
            key={side}
            type="button"
            role="tab"
            aria-selected={props.side === side}
            aria-controls="output"
            tabIndex={props.side === side ? 0 : -1}
            onKeyDown={(event) => {
              if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
                props.onTurn(props.side === "a" ? "b" : "a");
              }
            }}
            onClick={() => props.onTurn(side)}
          >
            Output {side.toUpperCase()} <span class="quiet">{numLeft === 0 ? "✓" : `${numLeft} left`}</span>
          </button>
        );
      })}
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
        {stage.kind === "finished" && (
          <div class="banner good" role="status">
            <p>
              <strong>Signed.</strong> That was the last open case of this reader study.
            </p>
            <a class="button primary" href={addresses.worklist}>
              Back to the worklist
            </a>
          </div>
        )}
      </div>
    </aside>
  );
}

/** The column while no case is on the screen: opened, could not be, finished, reported or taken away. */
import { useEffect, useRef } from "preact/hooks";
import { csrfToken } from "../../api/client";
import type { Ending } from "../../api/reading";
import type { Addresses } from "../addresses";
import type { Session } from "../session";
import type { SessionState, Stage } from "../session-state";
import { LogInButton, whoIsOut } from "./banners";
import { Discard } from "./discard";

interface Props {
  readonly session: Session;
  readonly state: SessionState;
  readonly addresses: Addresses;
}

export function NoCase({ session, state, addresses }: Props) {
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
          <Finished
            addresses={addresses}
            ending={stage.ending}
            isReported={stage.isReported}
            amended={stage.amended}
          />
        )}
        {stage.kind === "reported" && <Reporting session={session} state={state} addresses={addresses} />}
        {(stage.kind === "out-of-use" || stage.kind === "closed") && (
          <CaseGone stage={stage} session={session} addresses={addresses} />
        )}
      </div>
    </aside>
  );
}

/** Out of use, or closed to this reader: what became of what was said, and where to go from here. */
function CaseGone(props: {
  readonly stage: Extract<Stage, { kind: "out-of-use" | "closed" }>;
  readonly session: Session;
  readonly addresses: Addresses;
}) {
  const { stage, session, addresses } = props;
  const isOut = stage.kind === "out-of-use";
  const take = stage.mayTake ? addresses.take : null;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector<HTMLElement>(".primary")?.focus(), []);
  return (
    <div class="banner warn" role="alert" ref={box}>
      <p>
        <strong>
          {stage.caseLabel} is {isOut ? "out of use" : "closed to you"}.
        </strong>{" "}
        {stage.sentence}
      </p>
      {stage.numKept > 0 && (
        <Kept
          number={stage.numKept}
          lost={() => session.givingUp.whatIsLost(stage.uid)}
          onForget={isOut ? null : () => session.givingUp.forgetKept()}
        />
      )}
      {take && (
        <form method="post" action={take}>
          <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
          <button type="submit" class="button primary">
            Take the next case
          </button>
        </form>
      )}
      <a class={take ? "button quiet" : "button primary"} href={addresses.worklist}>
        Back to the worklist
      </a>
    </div>
  );
}

/** What was said after the case was taken away. */
function Kept(props: {
  readonly number: number;
  readonly lost: () => Promise<string>;
  readonly onForget: (() => Promise<void>) | null;
}) {
  const { number, lost, onForget } = props;
  return (
    <p>
      {number === 1 ? "1 change came too late: it is" : `${number} changes came too late: they are`} kept in
      this browser alone, and sent from here if the case comes back to you.{" "}
      {onForget && <Discard number={number} lost={lost} onDiscard={onForget} />}
    </p>
  );
}

/** Off the screen already; said plainly while the server does not have it. */
function Reporting({ session, state, addresses }: Props) {
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
  readonly amended: string | null;
}) {
  const { addresses, ending, isReported, amended } = props;
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
          {isReported
            ? "Reported: the film is out of use until a person has looked."
            : (amended ?? "Signed.")}
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

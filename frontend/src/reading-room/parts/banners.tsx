import { isChange, type Reading } from "../../api/reading";
import { clock, moment } from "../../moments";
import type { Addresses } from "../addresses";
import { changes, wait } from "../counted";
import { differences, itemName } from "../items";
import type { LoginState } from "../login";
import type { Problem, SaveState } from "../save-state";
import type { Session } from "../session";
import type { SessionState } from "../session-state";
import { Discard } from "./discard";

const NOTHING_IS_KEPT = 'This browser window keeps no data. Do not close it before the top bar says "Saved".';

/** What the reader must know of saving: never more than one problem at a time, the first one first. */
export function SaveBanner(props: {
  readonly session: Session;
  readonly state: SessionState;
  readonly addresses: Addresses;
}) {
  const { session, state, addresses } = props;
  const { stage } = state;
  if (stage.kind !== "open") return null;
  const { save } = stage;
  return (
    <>
      {state.notice && (
        <div class="banner warn" role="status">
          {state.notice}
        </div>
      )}
      {save.problem && (
        <ProblemBanner
          problem={save.problem}
          save={save}
          session={session}
          reading={stage.state.reading}
          login={state.login}
          addresses={addresses}
        />
      )}
      {save.problem === null && !save.isKept && <div class="banner warn">{NOTHING_IS_KEPT}</div>}
    </>
  );
}

function ProblemBanner(props: {
  readonly problem: Problem;
  readonly save: SaveState;
  readonly session: Session;
  readonly reading: Reading;
  readonly login: LoginState;
  readonly addresses: Addresses;
}) {
  const { problem, save, session, reading, login, addresses } = props;
  const waiting = `${wait(save.numWaiting)} in this ${save.isKept ? "browser" : "window"}`;
  const kept = save.isKept ? null : <p>{NOTHING_IS_KEPT}</p>;
  const retry = (
    <button type="button" class="button" onClick={() => session.retrySaving()}>
      Try now
    </button>
  );
  switch (problem.kind) {
    case "unreachable":
      return (
        <div class="banner warn" role="alert">
          <p>
            <strong>Not saved yet.</strong> {problem.sentence} {waiting} and will be sent as soon as the
            server takes {save.numWaiting === 1 ? "it" : "them"}; you can go on.
          </p>
          {kept}
          {retry}
        </div>
      );
    case "locked-out":
      if (login.who === "in") {
        return (
          <div class="banner warn" role="alert">
            <p>
              <strong>The server does not take changes of this case from you now.</strong> {problem.sentence}{" "}
              {waiting}.
            </p>
            {kept}
            {retry}
          </div>
        );
      }
      return (
        <div class="banner warn" role="alert">
          <p>
            <strong>{whoIsOut(login)}</strong> {waiting} and will be sent once you log in again; you can go on
            meanwhile.
          </p>
          {kept}
          <LogInButton session={session} />
        </div>
      );
    case "refused":
      return (
        <div class="banner bad" role="alert">
          <p>
            <strong>The server refused a change.</strong> {problem.sentence}
          </p>
          <button type="button" class="button" onClick={() => void session.showStored()}>
            Show what is stored
          </button>
        </div>
      );
    case "out-of-use":
    case "closed":
      // The whole case says so.
      return null;
    case "over":
      return (
        <div class="banner bad" role="alert">
          <p>
            <strong>{problem.sentence}</strong>{" "}
            {save.numWaiting === 0
              ? "Nothing that you said here is lost."
              : `${changes(save.numWaiting)} came too late and can't be saved any more.`}
          </p>
          {save.numWaiting === 0 ? (
            <a class="button primary" href={addresses.worklist}>
              Back to the worklist
            </a>
          ) : (
            <Discard
              number={save.numWaiting}
              after=" and go to the worklist"
              isPrimary
              lost={() => session.givingUp.whatIsLost(reading.uid)}
              onDiscard={() => session.givingUp.letGo().then(() => location.assign(addresses.worklist))}
            />
          )}
        </div>
      );
    case "conflict":
      return <ConflictBanner problem={problem} session={session} reading={reading} />;
  }
}

export function whoIsOut({ who, other }: LoginState): string {
  return who === "another"
    ? `Another account, ${other}, is logged in in this browser now.`
    : "You are logged out.";
}

export function LogInButton({ session }: { readonly session: Session }) {
  return (
    <button type="button" class="button primary" onClick={() => session.askToLogIn()}>
      Log in again
    </button>
  );
}

function ConflictBanner(props: {
  readonly problem: Extract<Problem, { kind: "conflict" }>;
  readonly session: Session;
  readonly reading: Reading;
}) {
  const { problem, session, reading } = props;
  const { mine, stored } = problem;
  if (!isChange(mine)) return null;
  const at = clock(stored.received_at);
  return (
    <section class="banner bad" role="alert" aria-label="Two versions">
      <p>
        <strong>{itemName(reading, mine)} was changed in another window or on another device.</strong> Choose
        which version counts; nothing more is sent until then.
      </p>
      <dl class="versions">
        <dt>There, at {at}</dt>
        <dd>{differences(stored, mine)}</dd>
        <dt>Here</dt>
        <dd>{differences(mine, stored)}</dd>
      </dl>
      <button type="button" class="button" onClick={() => void session.choose("stored")}>
        Keep the one from there
      </button>{" "}
      <button type="button" class="button" onClick={() => void session.choose("mine")}>
        Keep mine
      </button>
    </section>
  );
}

export function LockedBanner({ reading, addresses }: { reading: Reading; addresses: Addresses }) {
  if (reading.signed_at === null) return null;
  const isOwn = reading.uid === addresses.reading;
  return (
    <div class="banner good">
      <p>
        <strong>Signed</strong> on {moment(reading.signed_at)}.{" "}
        {reading.feedback === null
          ? "It is locked; a change of mind is an amendment that says why."
          : "It stays as you signed it, since what is known of a practice case is shown with the signature."}
      </p>
      {isOwn && addresses.amendment && (
        <a class="button" href={addresses.amendment}>
          {addresses.isAmended ? "Amended since: look at the amendment" : "Amendment open: continue"}
        </a>
      )}
      {reading.amend && (
        <a class="button" href={reading.amend}>
          Amend
        </a>
      )}
    </div>
  );
}

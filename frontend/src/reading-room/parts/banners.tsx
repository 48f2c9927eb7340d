import type { Reading } from "../../api/reading";
import type { Addresses } from "../reading-room";
import type { SaveState } from "../saver";
import type { Session } from "../session";

export function SaveBanner({ save, session }: { readonly save: SaveState; readonly session: Session }) {
  if (save.problem === null) {
    if (save.isKept) return null;
    return (
      <div class="banner warn">
        This browser window keeps no data. Do not close it before the top bar says "Saved".
      </div>
    );
  }
  const waiting = save.numWaiting === 1 ? "1 change waits" : `${save.numWaiting} changes wait`;
  const retry = (
    <button type="button" class="button" onClick={() => session.retrySaving()}>
      Try now
    </button>
  );
  switch (save.problem.kind) {
    case "unreachable":
      return (
        <div class="banner warn" role="alert">
          <p>
            <strong>Not saved yet.</strong> {save.problem.sentence} {waiting} in this browser and will be sent
            as soon as it answers; you can go on.
          </p>
          {retry}
        </div>
      );
    case "locked-out":
      return (
        <div class="banner warn" role="alert">
          <p>
            <strong>You are no longer logged in, or this case is not yours.</strong> {waiting} in this
            browser. Log in again in a new tab and come back; nothing is lost.
          </p>
          <a class="button" href="/login/" target="_blank" rel="noreferrer">
            Log in
          </a>{" "}
          {retry}
        </div>
      );
    case "refused":
      return (
        <div class="banner bad" role="alert">
          <p>
            <strong>The server refused a change.</strong> {save.problem.sentence}
          </p>
          <button type="button" class="button" onClick={() => void session.showStored()}>
            Show what is stored
          </button>
        </div>
      );
  }
}

export function LockedBanner({ reading, addresses }: { reading: Reading; addresses: Addresses }) {
  if (reading.signed_at === null) return null;
  return (
    <div class="banner good">
      <p>
        <strong>Signed</strong> on {new Date(reading.signed_at).toLocaleString("en-GB")}. It is locked; a
        change of mind is an amendment that says why.
      </p>
      {addresses.amend && (
        <a class="button" href={addresses.amend}>
          Amend
        </a>
      )}
    </div>
  );
}

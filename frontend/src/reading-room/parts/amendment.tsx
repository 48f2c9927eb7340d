import { useEffect, useState } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { moment } from "../../moments";
import type { SaveState } from "../save-state";
import type { Session } from "../session";

/** What tells an amendment from the reading that it amends; while it is open, it can be given up. */
export function AmendmentBanner(props: {
  readonly session: Session;
  readonly reading: Reading;
  readonly save: SaveState;
}) {
  const { session, reading, save } = props;
  if (reading.amends_signed_at === null) return null;
  return (
    <section class="banner" aria-label="Amendment">
      <p>
        <strong>Amendment</strong> of the reading signed on {moment(reading.amends_signed_at)}:{" "}
        {reading.amendment_reason}
      </p>
      {reading.signed_at === null && <DiscardAmendment session={session} save={save} />}
    </section>
  );
}

/** By a second press alone, after what happens was said. */
function DiscardAmendment({ session, save }: { readonly session: Session; readonly save: SaveState }) {
  const [isAsked, ask] = useState(false);
  const [refusal, refuse] = useState<string | null>(null);
  const [isUnderWay, setUnderWay] = useState(false);
  // What the server says since is newer than what kept it.
  const isOver = save.problem?.kind === "over";
  useEffect(() => refuse(null), [save.savedAt, isOver]);
  // What is on its way is waited for first, which lasts where the server is slow.
  const discard = async (): Promise<void> => {
    if (isUnderWay) return;
    setUnderWay(true);
    refuse(null);
    refuse(await session.givingUp.discardAmendment());
    setUnderWay(false);
  };
  return (
    <>
      <button type="button" class="button quiet" aria-expanded={isAsked} onClick={() => ask(!isAsked)}>
        Discard the amendment …
      </button>
      {isAsked && (
        <>
          <p role="status">
            The signed reading stays as it is and counts. What you changed in the amendment goes for good.
          </p>
          <button
            type="button"
            class="button danger"
            aria-disabled={isUnderWay}
            onClick={() => void discard()}
          >
            {isUnderWay ? "Discarding…" : "Discard it for good"}
          </button>
        </>
      )}
      {refusal && (
        <p class="errorlist" role="alert">
          Not discarded. {refusal}
        </p>
      )}
    </>
  );
}

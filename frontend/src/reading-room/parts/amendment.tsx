import { useState } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { moment } from "../../moments";
import type { Session } from "../session";

/** What tells an amendment from the reading that it amends; while it is open, it can be given up. */
export function AmendmentBanner({ session, reading }: { session: Session; reading: Reading }) {
  if (reading.amends_signed_at === null) return null;
  return (
    <section class="banner" aria-label="Amendment">
      <p>
        <strong>Amendment</strong> of the reading signed on {moment(reading.amends_signed_at)}:{" "}
        {reading.amendment_reason}
      </p>
      {reading.signed_at === null && <DiscardAmendment session={session} />}
    </section>
  );
}

/** By a second press alone, after what happens was said. */
function DiscardAmendment({ session }: { readonly session: Session }) {
  const [isAsked, ask] = useState(false);
  const [refusal, refuse] = useState<string | null>(null);
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
            onClick={() => void session.givingUp.discardAmendment().then(refuse)}
          >
            Discard it for good
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

import { useEffect, useRef } from "preact/hooks";
import type { Feedback } from "../../api/reading";
import { boxOfKnown } from "../marks";
import { withoutBoxes } from "../region-items";
import type { Room } from "../room";

/** After signing a practice case: what was known of it, beside what the reader said, and on the film. */
export function FeedbackPanel({
  room,
  feedback,
}: {
  readonly room: Room;
  readonly feedback: Feedback | null;
}) {
  if (feedback === null) return null;
  return <Told room={room} feedback={feedback} />;
}

function Told({ room, feedback }: { readonly room: Room; readonly feedback: Feedback }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The page begins at the first step: what is known comes before it.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.closest(".room-scroll")?.scrollTo(0, 0);
  }, []);
  const { items, known_answer } = feedback;
  const compared = items.filter(({ agrees }) => agrees !== null);
  const numAgreeing = compared.filter(({ agrees }) => agrees).length;
  return (
    <section class="answer feedback" aria-label="Feedback">
      <h2 ref={heading} tabIndex={-1}>
        What is known of this practice case
      </h2>
      {compared.length > 0 && (
        <p>
          You agree in {numAgreeing} of {compared.length}.
          {known_answer.regions.length > 0 &&
            " Known regions are drawn in white on the film; yours agrees from an IoU of 0.5 on: what both cover, as a share of what either covers."}
        </p>
      )}
      {items.length > 0 && (
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">You</th>
              <th scope="col">Known</th>
              <th scope="col">
                <span class="visually-hidden">Whether they agree</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map(({ what, yours, known, agrees, region }, index) => (
              <tr key={index}>
                <th scope="row">{withoutBoxes(what)}</th>
                <td>{yours || <span class="quiet">not asked</span>}</td>
                <td>
                  {region === null ? (
                    known
                  ) : (
                    <button
                      type="button"
                      class="inline"
                      aria-label={`Show on the film: ${what}`}
                      onClick={() => room.view.bringIntoView(boxOfKnown(feedback, region))}
                    >
                      show
                    </button>
                  )}
                </td>
                <td>
                  {agrees !== null && (
                    <span class={`chip ${agrees ? "good" : "bad"}`}>{agrees ? "agrees" : "differs"}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {known_answer.comment && <p class="note">{known_answer.comment}</p>}
    </section>
  );
}

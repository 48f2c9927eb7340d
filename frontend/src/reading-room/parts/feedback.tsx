import type { Feedback } from "../../api/reading";

/** After signing a training case: what was known of it, beside what the reader said. */
export function FeedbackPanel({ feedback }: { readonly feedback: Feedback | null }) {
  if (feedback === null) return null;
  const { items } = feedback;
  const compared = items.filter(({ agrees }) => agrees !== null);
  const numAgreeing = compared.filter(({ agrees }) => agrees).length;
  return (
    <section class="answer feedback" aria-label="Feedback">
      <h2>What is known of this training case</h2>
      {compared.length > 0 && (
        <p>
          You agree in {numAgreeing} of {compared.length}.
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
            {items.map(({ what, yours, known, agrees }, index) => (
              <tr key={index}>
                <th scope="row">{what}</th>
                <td>{yours || "–"}</td>
                <td>{known}</td>
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
    </section>
  );
}

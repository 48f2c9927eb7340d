import { wait } from "../counted";
import type { Leftover, Leftovers } from "../leftovers";
import type { Problem } from "../save-state";
import type { Session } from "../session";
import { Discard } from "./discard";

/** Of these nothing can be sent from here. */
const IS_LOST: ReadonlySet<Problem["kind"]> = new Set(["closed", "over"]);

/** What this browser still keeps of other cases: a word in the top bar, where it lies over no rating, and the rest of it
 * once that is opened. */
export function OtherCases(props: { readonly session: Session; readonly leftovers: Leftovers }) {
  const { session, leftovers } = props;
  const { own, hasOthers } = leftovers;
  if (own.length === 0 && !hasOthers) return null;
  return (
    <details class="other-cases">
      <summary>
        <span role="status">{inShort(leftovers)}</span>
      </summary>
      <div class="of-other-cases">
        {own.map((one) => (
          <OtherCase key={one.reading} session={session} one={one} />
        ))}
        {hasOthers && (
          <p>
            Changes that were made under another account wait in this browser. They are not sent under your
            login: whoever made them logs in here with that account and opens a case, and they go.
          </p>
        )}
      </div>
    </details>
  );
}

/** "1 change waits of another case". */
function inShort({ own, hasOthers }: Leftovers): string {
  const number = own.reduce((sum, { save }) => sum + save.numWaiting, 0);
  const cases = own.length === 1 ? "another case" : `${own.length} other cases`;
  return [
    ...(own.length > 0 ? [`${wait(number)} of ${cases}`] : []),
    ...(hasOthers ? ["changes of another account wait"] : []),
  ].join(" · ");
}

function OtherCase({ session, one }: { readonly session: Session; readonly one: Leftover }) {
  const { problem, numWaiting } = one.save;
  return (
    <div>
      <p>
        <strong>
          {wait(numWaiting)} of another case of yours, {one.caseLabel}.
        </strong>{" "}
        {problem?.sentence}
      </p>
      <a class="button" href={`/readings/${one.reading}/`}>
        Open that case
      </a>{" "}
      {problem && IS_LOST.has(problem.kind) && (
        <Discard
          number={numWaiting}
          lost={() => session.givingUp.whatIsLost(one.reading)}
          onDiscard={() => session.givingUp.forgetLeftover(one)}
        />
      )}
    </div>
  );
}

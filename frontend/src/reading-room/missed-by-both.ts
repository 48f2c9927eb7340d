/** What one output missed and the other missed too: said and drawn once, it counts for both. */
import type { Change, MissedFinding, Reading } from "../api/reading";
import { findingName, numberOf, sideName } from "./missed";
import { addFinding, drawnFor, drawRegion } from "./regions";

/** The output that a finding is not of; null where the case has one. */
function otherOutput(reading: Reading, { completion }: MissedFinding): string | null {
  return reading.completions.find(({ uid }) => uid !== completion)?.uid ?? null;
}

/** Whether it can be said of the other output too: there is one, and it has no finding in these words. */
export function isMissedByOneAlone(reading: Reading, finding: MissedFinding): boolean {
  const other = otherOutput(reading, finding);
  return other !== null && sameFinding(reading, finding, other) === undefined;
}

function sameFinding(reading: Reading, { text }: MissedFinding, completion: string) {
  const words = (said: string): string => said.trim().toLowerCase();
  return reading.missed_findings.find(
    (made) => made.completion === completion && words(made.text) === words(text),
  );
}

/** The same finding as the other output misses it; null where it misses none in these words. */
export function ofOther(reading: Reading, finding: MissedFinding): MissedFinding | null {
  const other = otherOutput(reading, finding);
  return other === null ? null : (sameFinding(reading, finding, other) ?? null);
}

/** Each finding that both outputs miss, once, in the reader's words. */
export function missedByBoth(reading: Reading): string[] {
  const ofFirst = reading.missed_findings.filter(
    ({ completion }) => completion === reading.completions[0]?.uid,
  );
  return ofFirst.filter((finding) => ofOther(reading, finding) !== null).map(({ text }) => text.trim());
}

export interface MissedToo {
  readonly changes: readonly Change[];
  /** Of the one that is made: "missed finding 1 of output B". */
  readonly name: string;
}

/** What names the finding for the other output, with a copy of each of its regions. A sentence instead where there is
 * nothing to name. */
export function missedByOther(reading: Reading, finding: MissedFinding): MissedToo | string {
  const other = otherOutput(reading, finding);
  if (other === null) return "This case has one output.";
  const same = sameFinding(reading, finding, other);
  if (same !== undefined) {
    const number = numberOf(reading, same.uid, other);
    return `Output ${sideName(reading, other)} has it already, as its missed finding ${number}.`;
  }
  const uid = crypto.randomUUID();
  const regions = drawnFor(reading, { kind: "finding", uid: finding.uid });
  return {
    changes: [
      addFinding(uid, other, finding.text),
      ...regions.map((drawn) => drawRegion(crypto.randomUUID(), { kind: "finding", uid }, drawn)),
    ],
    name: findingName(reading, uid, other),
  };
}

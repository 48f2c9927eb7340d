/** The findings that an output should have named: what each is called, and of which output it is. */
import type { MissedFinding, Reading, Side } from "../api/reading";
import { hasTwo } from "./place";
import { missedFinding } from "./regions";

/** "A" or "B" where the case has two outputs, else "". */
export function sideName(reading: Reading, completion: string): string {
  const side = reading.completions.find(({ uid }) => uid === completion)?.side;
  return hasTwo(reading) && side ? side.toUpperCase() : "";
}

/** " of output A"; nothing where the case has one. */
export function ofOutput(reading: Reading, completion: string): string {
  const side = sideName(reading, completion);
  return side && ` of output ${side}`;
}

/** 1 for the first that an output missed; of a new one, the next number. */
export function numberOf(reading: Reading, uid: string, completion: string): number {
  const same = reading.missed_findings.filter((finding) => finding.completion === completion);
  const at = same.findIndex((finding) => finding.uid === uid);
  return (at < 0 ? same.length : at) + 1;
}

/** "missed finding 2 of output A". */
export function findingName(reading: Reading, uid: string, completion: string): string {
  return `missed finding ${numberOf(reading, uid, completion)}${ofOutput(reading, completion)}`;
}

/** The same at the head of a card or a sentence. */
export function findingTitle(reading: Reading, uid: string, completion: string): string {
  return findingName(reading, uid, completion).replace(/^m/, "M");
}

/** The same of one that the reading has; "a missed finding" of one that is gone. */
export function knownFindingName(reading: Reading, uid: string): string {
  const finding = missedFinding(reading, uid);
  return finding ? findingName(reading, uid, finding.completion) : "a missed finding";
}

/** "A M2" where the case has two outputs, else "M2": on the film, beside its regions. */
export function markOfFinding(reading: Reading, { uid, completion }: MissedFinding): string {
  return `${sideName(reading, completion)} M${numberOf(reading, uid, completion)}`.trim();
}

/** "Missed: 1 finding by A, 2 by B."; empty where nothing was missed. */
export function missedInWords(reading: Reading): string {
  const counted = reading.completions
    .map(({ side, uid }) => ({ side, number: numMissedBy(reading, uid) }))
    .filter(({ number }) => number > 0);
  const told = counted.map(({ side, number }) => `${number}${hasTwo(reading) ? ` ${by(side)}` : ""}`);
  return told.length === 0 ? "" : `Missed findings: ${told.join(", ")}.`;
}

const by = (side: Side): string => `by ${side.toUpperCase()}`;

export function numMissedBy(reading: Reading, completion: string): number {
  return reading.missed_findings.filter((finding) => finding.completion === completion).length;
}

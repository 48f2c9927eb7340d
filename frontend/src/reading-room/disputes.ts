/** What earlier readers dispute, for the reader who decides between them: of the rest their word stands. */
import type { Disputed, Reading } from "../api/reading";
import type { Question } from "./questions";

/** One thing that is asked, by the field of a built-in question or the criterion of another. */
type AskedItem = Partial<Disputed>;

export function plausibilityOf(step: string): AskedItem {
  return { field: "plausibility", step };
}

export function verdictOn(region: string): AskedItem {
  return { field: "verdict", region };
}

export function itemOfQuestion({ criterion, completion, step, region }: Question): AskedItem {
  const { field, uid } = criterion;
  return { field, criterion: field ? null : uid, completion, step, region };
}

/** Where nothing is disputed the case is read once more for another reason: then everything is asked as ever. */
export function hasDisputes(reading: Reading): boolean {
  return (reading.adjudication?.disputed.length ?? 0) > 0;
}

export function isDisputed(reading: Reading, item: AskedItem): boolean {
  return reading.adjudication?.disputed.some((one) => isSame(one, item)) ?? false;
}

/** The readers agree, so that it needs no answer, and may have one. */
export function isLeft(reading: Reading, item: AskedItem): boolean {
  return hasDisputes(reading) && !isDisputed(reading, item);
}

/** Where nothing is left to say: a judge leaves what nobody disputes to the earlier readers. */
export function allSaid(reading: Reading): string {
  return hasDisputes(reading) ? "All that is disputed is settled." : "Everything is rated.";
}

function isSame(one: Disputed, item: AskedItem): boolean {
  const parts = ["criterion", "completion", "step", "region"] as const;
  return one.field === (item.field ?? "") && parts.every((part) => one[part] === (item[part] ?? null));
}

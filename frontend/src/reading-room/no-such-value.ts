/** What is said where a digit means no value of what has the focus. */
import type { AskedCriterion } from "../api/reading";

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** "There are four values here." */
export function thereAre(num: number): string {
  return `There are ${WORDS[num] ?? num} values here.`;
}

export function noSuchValue({ kind, options }: AskedCriterion): string {
  return kind === "text" ? "This is answered in words." : thereAre(options.length);
}

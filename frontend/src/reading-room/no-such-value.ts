/** What is said where a digit means no value of what has the focus. */
import type { AskedCriterion, Reading, Step } from "../api/reading";
import { builtIn } from "./questions";

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** "There are four values here." */
export function thereAre(num: number): string {
  return `There are ${WORDS[num] ?? num} values here.`;
}

export function noSuchValue({ kind, options }: AskedCriterion): string {
  return kind === "text" ? "This is answered in words." : thereAre(options.length);
}

export const IN_WORDS_FIRST =
  "The impression is written in words: T writes it, J goes on to how sure you are.";

export const NO_POINTS_TO_PASS = "Nothing to pass over here: “cannot judge” is said of a step's points.";

export const NO_REGION_TO_JUDGE = "Nothing to judge here: no region of the model's is asked about.";

export const OWN_REGION_IN_HAND =
  "The region in hand is your own: Enter goes on to the model's, which is judged then.";

/** Of a step whose plausibility is not asked. */
export function noPoints(reading: Reading, { regions }: Step): string {
  const asksOfRegions = builtIn(reading, "verdict") !== null && regions.length > 0;
  return asksOfRegions
    ? "No points are asked for here: F says that the region fits, X that it is wrong, R redraws it."
    : "Nothing is asked here: J goes on.";
}

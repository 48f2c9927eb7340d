/** What two outputs have in common, for whoever votes between them. */
import type { Reading } from "../api/reading";
import { answerTwinOf } from "./answer-twins";
import { missedByBoth } from "./missed-by-both";
import { hasTwo } from "./place";
import { areStepsTwins } from "./twins";

/** "Both answers say the same. Both miss “left nodule”."; empty where they have nothing in common. */
export function alikeInWords(reading: Reading): string {
  if (!hasTwo(reading)) return "";
  const isAlike = { steps: areStepsTwins(reading), answers: answerTwinOf(reading, "a") !== null };
  const missed = missedByBoth(reading).map((text) => `“${text}”`);
  return [
    isAlike.steps && isAlike.answers && "Both say the same, in steps and answer.",
    isAlike.steps && !isAlike.answers && "The steps of both say the same.",
    isAlike.answers && !isAlike.steps && "Both answers say the same.",
    missed.length > 0 && `Both miss ${missed.join(", ")}.`,
  ]
    .filter(Boolean)
    .join(" ");
}

/** What is said where a key puts another answer in the place of one that stood: the reader may have meant another item. */
import type { CriterionValue, Reading, Step } from "../api/reading";
import { stepRating } from "./changes";
import { ofOutput } from "./missed";
import type { Place } from "./place";
import { answerTo, type Question } from "./questions";
import { labelOf } from "./region-items";

const CANNOT_JUDGE = "“cannot judge”";

/** "Step 2 of output A: 4 became 5. Ctrl Z takes it back."; null where nothing stood there, or the same. */
export function pointsOverwritten(reading: Reading, step: Step, points: number | null): string | null {
  const { plausibility, cannot_judge } = stepRating(reading, step.uid);
  const before = plausibility ?? (cannot_judge ? CANNOT_JUDGE : null);
  const now = points ?? CANNOT_JUDGE;
  return before === null ? null : became(`Step ${step.position}${outputOf(reading, step)}`, before, now);
}

/** The same of a question of which one value is chosen. */
export function answerOverwritten(
  reading: Reading,
  place: Place,
  question: Question,
  value: CriterionValue,
): string | null {
  const before = answerTo(reading, question);
  const { name, options } = question.criterion;
  const labelled = (one: CriterionValue): string =>
    options.find((option) => option.value === one)?.label ?? String(one);
  return before === null
    ? null
    : became(`${name}${itemOf(reading, place, question)}`, labelled(before), labelled(value));
}

function became(item: string, before: string | number, now: string | number): string | null {
  return before === now ? null : `${item}: ${before} became ${now}. Ctrl Z takes it back.`;
}

function outputOf(reading: Reading, step: Step): string {
  const completion = reading.completions.find(({ steps }) => steps.some(({ uid }) => uid === step.uid));
  return completion ? ofOutput(reading, completion.uid) : "";
}

/** " of step 2 of output A", " of region 2a of output A", " of output A"; nothing of a vote, or of the case. */
function itemOf(reading: Reading, place: Place, { completion, region }: Question): string {
  if (completion !== null) return ofOutput(reading, completion);
  const steps = reading.completions.flatMap((one) => one.steps);
  const step = place.kind === "step" ? steps.find(({ uid }) => uid === place.step) : undefined;
  if (step === undefined) return "";
  const asked = step.regions.find(({ uid }) => uid === region);
  const item = asked ? `region ${labelOf(step, asked)}` : `step ${step.position}`;
  return ` of ${item}${outputOf(reading, step)}`;
}

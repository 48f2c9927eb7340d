/** Which questions on errors are not asked of a step: one that is right as it stands has no error to name. */
import type { Reading, Step } from "../api/reading";
import { annotation, stepRating } from "./changes";
import { isDisputed, itemOfQuestion } from "./disputes";
import { answerTo, builtIn, ownQuestions, type Question } from "./questions";

const RIGHT_AS_I_WOULD_SAY_IT = 5;
/** Of the question on the finding itself: what is not there has neither a place nor a severity. */
const NOT_THERE = "false";

/** The server's rule (asked_if.py), seen before it is asked; one table of cases tests both. */
export function isAsked(reading: Reading, question: Question): boolean {
  const { criterion } = question;
  const step = criterion.asked_if === "" ? null : stepOf(reading, question.step);
  if (step === null || isDisputed(reading, itemOfQuestion(question))) return true;
  if (isRight(reading, step)) return false;
  return criterion.asked_if !== "there" || errorOfFinding(reading, step) !== NOT_THERE;
}

/** Not asked, not answered all the same, and not opened by the reader: folded away. */
export function isFolded(reading: Reading, question: Question, opened: readonly string[]): boolean {
  if (question.step === null || opened.includes(question.step)) return false;
  return !isAsked(reading, question) && answerTo(reading, question) === null;
}

/** Said best, and each of its regions fits, as far as the reader study asks. */
export function isRight(reading: Reading, { uid, regions }: Step): boolean {
  if (builtIn(reading, "plausibility") === null) return false;
  if (stepRating(reading, uid).plausibility !== RIGHT_AS_I_WOULD_SAY_IT) return false;
  if (builtIn(reading, "verdict") === null) return true;
  return regions.every((region) => annotation(reading, region.uid)?.verdict === "fits");
}

export function errorOfFinding(reading: Reading, step: Step): string | null {
  const question = ownQuestions(reading, step).find(({ criterion }) => criterion.asked_if === "flawed");
  return question ? (answerTo(reading, question) as string | null) : null;
}

function stepOf({ completions }: Reading, uid: string | null): Step | null {
  return completions.flatMap(({ steps }) => steps).find((step) => step.uid === uid) ?? null;
}

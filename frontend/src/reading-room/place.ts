/** Where the reader is in a case, and every place that there is, in the order in which a case is read. */
import type { Completion, Reading, Region, Side, Step } from "../api/reading";
import { annotation, stepRating } from "./changes";
import { isLeft, plausibilityOf, verdictOn } from "./disputes";
import {
  answerQuestions,
  builtIn,
  caseQuestions,
  keyOf,
  ownQuestions,
  type Question,
  voteQuestions,
} from "./questions";

export type FirstReadPart = "answer" | "impression" | "confidence";

/** `question` is a question's key; of a step, null for what is asked of every step: plausibility and regions. */
export type Place =
  | { readonly kind: "first-read"; readonly side: Side; readonly part: FirstReadPart }
  | {
      readonly kind: "step";
      readonly side: Side;
      readonly step: string;
      readonly region: string | null;
      readonly question: string | null;
    }
  | { readonly kind: "answer"; readonly side: Side; readonly question: string }
  | { readonly kind: "finding"; readonly side: Side; readonly finding: string }
  | { readonly kind: "vote"; readonly side: Side; readonly question: string }
  | { readonly kind: "case"; readonly side: Side; readonly question: string };

export function completionOn(reading: Reading, side: Side): Completion | null {
  return reading.completions.find((completion) => completion.side === side) ?? null;
}

export function hasTwo(reading: Reading): boolean {
  return reading.completions.length > 1;
}

export function otherSide(side: Side): Side {
  return side === "a" ? "b" : "a";
}

export function isWellFormed(completion: Completion): boolean {
  return completion.problems.length === 0;
}

export function stepPlace(side: Side, step: Step, region?: string): Place {
  return {
    kind: "step",
    side,
    step: step.uid,
    region: region ?? step.regions[0]?.uid ?? null,
    question: null,
  };
}

function questionPlace(side: Side, step: Step, question: Question): Place {
  const place = stepPlace(side, step, question.region ?? undefined);
  return { ...place, question: keyOf(question) } as Place;
}

function stepPlaces(reading: Reading, side: Side, step: Step): Place[] {
  const own = ownQuestions(reading, step).map((question) => questionPlace(side, step, question));
  return asksOfSteps(reading, step) || own.length === 0 ? [stepPlace(side, step), ...own] : own;
}

/** Whether a step is rated at all, or only read. */
export function asksOfSteps(reading: Reading, step: Step): boolean {
  return (
    builtIn(reading, "plausibility") !== null ||
    (builtIn(reading, "verdict") !== null && step.regions.length > 0)
  );
}

/** Every place of one output, without those that belong to both. */
export function placesOfOutput(reading: Reading, side: Side): Place[] {
  const completion = completionOn(reading, side);
  if (completion === null) return [];
  return [
    ...completion.steps.flatMap((step) => stepPlaces(reading, side, step)),
    ...answerQuestions(reading, completion).map(
      (question): Place => ({ kind: "answer", side, question: keyOf(question) }),
    ),
    ...reading.missed_findings
      .filter((finding) => finding.completion === completion.uid)
      .map(({ uid }): Place => ({ kind: "finding", side, finding: uid })),
  ];
}

/** What is asked between the outputs, and of the case: after both. */
export function commonPlaces(reading: Reading, side: Side): Place[] {
  return [
    ...voteQuestions(reading).map((question): Place => ({ kind: "vote", side, question: keyOf(question) })),
    ...caseQuestions(reading).map((question): Place => ({ kind: "case", side, question: keyOf(question) })),
  ];
}

/** Every place that is reached from a side, in the order in which it is read. */
export function placesOn(reading: Reading, side: Side): Place[] {
  if (reading.stage === "first_read") return firstReadPlaces(reading);
  return [...placesOfOutput(reading, side), ...commonPlaces(reading, side)];
}

/** The parts of a first read, or of the change of mind after it. */
export function firstReadPlaces(reading: Reading, side: Side = "a"): Place[] {
  const parts: FirstReadPart[] =
    reading.first_read?.form === "choice" ? ["answer", "confidence"] : ["answer", "impression", "confidence"];
  return parts.map((part) => ({ kind: "first-read", side, part }));
}

export function samePlace(a: Place, b: Place): boolean {
  if (a.kind === "step" && b.kind === "step") {
    const isSame = a.step === b.step && a.question === b.question;
    // Of a question on regions there is one place for each; what every step is asked of is one place.
    return isSame && (a.question === null || a.region === b.region);
  }
  if (a.kind === "first-read" && b.kind === "first-read") return a.part === b.part;
  if (a.kind === "finding" && b.kind === "finding") return a.finding === b.finding;
  const isQuestion = "question" in a && "question" in b && a.question === b.question;
  return a.kind === b.kind && isQuestion && (a.kind !== "answer" || a.side === b.side);
}

/** The question whose options the digits choose; null where they mean plausibility, or nothing. */
export function questionAt(reading: Reading, place: Place): Question | null {
  if (!("question" in place) || place.question === null) return null;
  const completion = completionOn(reading, place.side);
  const step = place.kind === "step" ? completion?.steps.find(({ uid }) => uid === place.step) : null;
  const questions = [
    ...(step ? ownQuestions(reading, step) : []),
    ...(place.kind === "answer" && completion ? answerQuestions(reading, completion) : []),
    ...(place.kind === "vote" ? voteQuestions(reading) : []),
    ...(place.kind === "case" ? caseQuestions(reading) : []),
  ];
  return questions.find((question) => keyOf(question) === place.question) ?? null;
}

export function openRegion(reading: Reading, step: Step): Region | undefined {
  if (builtIn(reading, "verdict") === null) return undefined;
  return step.regions.find(
    ({ uid }) => annotation(reading, uid) === null && !isLeft(reading, verdictOn(uid)),
  );
}

export function isPlausibilityRated(reading: Reading, step: Step): boolean {
  if (builtIn(reading, "plausibility") === null) return true;
  const rating = stepRating(reading, step.uid);
  return rating.plausibility !== null || rating.cannot_judge;
}

export function needsPlausibility(reading: Reading, step: Step): boolean {
  return !isPlausibilityRated(reading, step) && !isLeft(reading, plausibilityOf(step.uid));
}

/** What every step is asked: its plausibility, and each region. */
export function isStepRated(reading: Reading, step: Step): boolean {
  return !needsPlausibility(reading, step) && openRegion(reading, step) === undefined;
}

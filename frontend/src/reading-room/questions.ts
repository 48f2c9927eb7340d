/** What a reader study asks: each question with the item that it is asked of, its answer, and how it is answered. */
import type {
  AskedCriterion,
  Change,
  Completion,
  CriterionValue,
  Reading,
  Step,
  Verdict,
  VoteKind,
  VoteSide,
} from "../api/reading";
import { annotate, annotation, answerRating, castVote, stepRating, vote } from "./changes";

/** A criterion asked of one item; a question between the outputs, or of the case, has none. */
export interface Question {
  readonly criterion: AskedCriterion;
  readonly completion: string | null;
  readonly step: string | null;
  readonly region: string | null;
}

export type Target = AskedCriterion["target"];

const NO_ITEM = { completion: null, step: null, region: null };
const POINTS = new Set(["relevance", "correctness", "completeness"]);

export function asked(reading: Reading, target: Target): AskedCriterion[] {
  return reading.criteria.filter((criterion) => criterion.target === target);
}

/** The built-in question with its own place; null where the reader study does not ask it. */
export function builtIn(reading: Reading, field: string): AskedCriterion | null {
  return reading.criteria.find((criterion) => criterion.field === field) ?? null;
}

/** The reader study's own questions on a step: of it, then of each of its regions. */
export function ownQuestions(reading: Reading, step: Step): Question[] {
  const own = (target: Target) => asked(reading, target).filter(({ field }) => field === "");
  return [
    ...own("step").map((criterion) => ({ ...NO_ITEM, criterion, step: step.uid })),
    ...step.regions.flatMap((region) =>
      own("region").map((criterion) => ({ ...NO_ITEM, criterion, region: region.uid })),
    ),
  ];
}

export function answerQuestions(reading: Reading, completion: Completion): Question[] {
  return asked(reading, "answer").map((criterion) => ({
    ...NO_ITEM,
    criterion,
    completion: completion.uid,
  }));
}

/** Asked between two outputs alone. */
export function voteQuestions(reading: Reading): Question[] {
  if (reading.completions.length < 2) return [];
  return asked(reading, "vote").map((criterion) => ({ ...NO_ITEM, criterion }));
}

export function caseQuestions(reading: Reading): Question[] {
  return asked(reading, "case").map((criterion) => ({ ...NO_ITEM, criterion }));
}

/** Names the question and its item, within one reading. */
export function keyOf({ criterion, completion, step, region }: Question): string {
  return [criterion.uid, completion ?? step ?? region ?? ""].join(":");
}

export function answerTo(reading: Reading, question: Question): CriterionValue | null {
  const { criterion, completion, step, region } = question;
  const { field } = criterion;
  if (field === "plausibility" && step) return stepRating(reading, step).plausibility;
  if (field === "verdict" && region) return annotation(reading, region)?.verdict ?? null;
  if (field === "harm" && completion) return answerRating(reading, completion).harm || null;
  if (POINTS.has(field) && completion) {
    return answerRating(reading, completion)[field as "relevance"];
  }
  if (criterion.target === "vote" && field) return vote(reading, field as VoteKind);
  return reading.criterion_ratings.find((rating) => isOf(rating, question))?.value ?? null;
}

const isOf = (rating: Reading["criterion_ratings"][number], question: Question): boolean =>
  rating.criterion === question.criterion.uid &&
  rating.completion === question.completion &&
  rating.step === question.step &&
  rating.region === question.region;

/** The change that answers; null takes the answer back. */
export function answering(reading: Reading, question: Question, value: CriterionValue | null): Change {
  const { criterion, completion, step, region } = question;
  const { field } = criterion;
  if (field === "plausibility" && step) {
    const rating = { ...stepRating(reading, step), plausibility: value as number | null };
    return { kind: "rate_step", payload: { ...rating, cannot_judge: false } };
  }
  if (field === "verdict" && region) return annotate(region, value as Verdict | null);
  if ((POINTS.has(field) || field === "harm") && completion) {
    const said = field === "harm" ? (value ?? "") : value;
    return { kind: "rate_answer", payload: { ...answerRating(reading, completion), [field]: said } };
  }
  if (criterion.target === "vote" && field) return castVote(value as VoteSide | null, field as VoteKind);
  return {
    kind: "rate_criterion",
    payload: { criterion: criterion.uid, completion, step, region, value },
  };
}

/** What digit `points` means: the option with this number where all are numbers, else the option in this place. */
export function optionFor({ options }: AskedCriterion, points: number): CriterionValue | null {
  const isByNumber = options.every(({ value }) => typeof value === "number" && value >= 1 && value <= 9);
  const found = isByNumber ? options.find(({ value }) => value === points) : options[points - 1];
  return found?.value ?? null;
}

/** The digit that chooses an option, as `optionFor` reads it. */
export function digitOf(criterion: AskedCriterion, value: CriterionValue): number | null {
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].find((points) => optionFor(criterion, points) === value) ?? null;
}

/** Several choices: one more, or one less; null where none is left. */
export function toggled(chosen: CriterionValue | null, value: CriterionValue): CriterionValue | null {
  if (Array.isArray(value)) return chosen;
  const before = Array.isArray(chosen) ? chosen : [];
  const after = before.includes(value) ? before.filter((one) => one !== value) : [...before, value];
  return after.length > 0 ? after : null;
}

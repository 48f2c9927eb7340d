/** Answers that contradict each other: the reader is asked once before the signature, and may mean them. */
import type { Completion, Reading, Step } from "../api/reading";
import { answerRating, stepRating } from "./changes";
import type { Gap } from "./gaps";
import { hasTwo, isWellFormed, type Place, stepPlace } from "./place";
import { answerQuestions, answerTo, keyOf, ownQuestions, type Question } from "./questions";

/** The product's own questions, by the names that they keep in every version. */
const FINDING = "error-of-finding";
const ERRORS: readonly string[] = [FINDING, "error-of-location", "error-of-severity"];
const OMISSION = "omission";
const HIGHEST = 5;

/** Each with the place where it can be mended. */
export function contradictions(reading: Reading): Gap[] {
  return reading.completions.flatMap((completion) => [
    ...(isWellFormed(completion) ? completion.steps : []).flatMap((step) =>
      ofStep(reading, completion, step),
    ),
    ...ofAnswer(reading, completion),
  ]);
}

/** The first of a step: mending it may mend the others. */
function ofStep(reading: Reading, { side }: Completion, step: Step): Gap[] {
  const named = ownQuestions(reading, step).filter(
    (question) => ERRORS.includes(question.criterion.key) && namesSomething(reading, question),
  );
  const finding = named.find(({ criterion }) => criterion.key === FINDING);
  const isAbsent = finding !== undefined && answerTo(reading, finding) === "false";
  const other = isAbsent ? named.find((question) => question !== finding) : undefined;
  const is = `${hasTwo(reading) ? `${side.toUpperCase()} ` : ""}step ${step.position}:`;
  const at = (question: Question): Place =>
    ({ ...stepPlace(side, step), question: keyOf(question) }) as Place;
  const [first] = named;
  if (first && stepRating(reading, step.uid).plausibility === HIGHEST) {
    return [{ place: at(first), name: `${is} plausible ${HIGHEST}, yet “${labelOf(reading, first)}”` }];
  }
  if (finding === undefined || other === undefined) return [];
  const [absent, wrong] = [labelOf(reading, finding), labelOf(reading, other)];
  return [{ place: at(other), name: `${is} “${absent}”, yet “${wrong}”` }];
}

function ofAnswer(reading: Reading, completion: Completion): Gap[] {
  const { side, uid } = completion;
  const questions = answerQuestions(reading, completion);
  const completeness = questions.find(({ criterion }) => criterion.field === "completeness");
  if (!completeness || answerRating(reading, uid).completeness !== HIGHEST) return [];
  const omission = questions.find(({ criterion }) => criterion.key === OMISSION);
  const isNamed = omission !== undefined && namesSomething(reading, omission);
  const isMissed = reading.missed_findings.some((finding) => finding.completion === uid);
  if (!isNamed && !isMissed) return [];
  const question = keyOf(isNamed ? omission : completeness);
  const what = isNamed ? "an omission is named" : "a finding is missed";
  const is = hasTwo(reading) ? `${side.toUpperCase()}: ` : "";
  return [{ place: { kind: "answer", side, question }, name: `${is}completeness ${HIGHEST}, yet ${what}` }];
}

function namesSomething(reading: Reading, question: Question): boolean {
  const answer = answerTo(reading, question);
  return answer !== null && answer !== "none";
}

function labelOf(reading: Reading, question: Question): string {
  const answer = answerTo(reading, question);
  return question.criterion.options.find(({ value }) => value === answer)?.label ?? String(answer);
}

/** What was shown already goes through. */
export class Weighing {
  private shownOf: string | null = null;
  private shown: readonly string[] = [];

  /** What the reader has to see before this is signed; asked once. */
  before(reading: Reading): Gap[] {
    const found = contradictions(reading);
    const names = found.map(({ name }) => name);
    const isSeen = this.shownOf === reading.uid && names.every((name) => this.shown.includes(name));
    this.shownOf = reading.uid;
    this.shown = names;
    return isSeen ? [] : found;
  }
}

/** "A step 1: plausible 5, yet “not there”, and 1 more". */
export function inOneLine(doubts: readonly Gap[]): string {
  const more = doubts.length > 1 ? `, and ${doubts.length - 1} more` : "";
  return `${doubts[0]?.name ?? ""}${more}.`;
}

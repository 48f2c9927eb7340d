/** What a reader took out of an output's steps and its answer says all the same: no text to learn from. */
import type { Completion, Reading, Side, Step } from "../api/reading";
import { annotation, answerRating, stepRating } from "./changes";
import { hasTwo, isWellFormed, type Place } from "./place";
import { answerQuestions, keyOf } from "./questions";
import { drawnFor } from "./regions";
import { areSidesAlike } from "./sides";

type Named = Step["names"][number];

export interface StillSaid {
  readonly side: Side;
  /** "left nodule", as the output words it. */
  readonly words: string;
  /** Of the step that said it. */
  readonly position: number;
  readonly isRewritten: boolean;
}

/** rl_feedback/readings.py has the same rule: up to these points, with no region that is right. */
const MOST_IMPLAUSIBLE = 2;

/** Each finding once, in the order of the steps that said it. */
export function stillSaid(reading: Reading): StillSaid[] {
  return reading.completions.filter(isWellFormed).flatMap((completion) => inAnswerOf(reading, completion));
}

function inAnswerOf(reading: Reading, completion: Completion): StillSaid[] {
  const { rewrite } = answerRating(reading, completion.uid);
  const kept = keptIn(reading, completion);
  const found = new Map<string, StillSaid>();
  for (const step of completion.steps) {
    const without = step.names.filter((named) => !isKept(reading, completion, step, named));
    for (const named of without.filter((one) => !kept.some((other) => isSame(one, other)))) {
      const words = rewrite ? inRewrite(rewrite, named, completion) : inAnswer(completion, named);
      if (words === null || found.has(words)) continue;
      const { side } = completion;
      found.set(words, { side, words, position: step.position, isRewritten: rewrite !== "" });
    }
  }
  return [...found.values()];
}

/** What a step, as its reader would write it, still says, or a missed finding does. */
function keptIn(reading: Reading, completion: Completion): Named[] {
  const missed = reading.missed_findings.filter((finding) => finding.completion === completion.uid);
  return completion.steps.flatMap((step) =>
    step.names.filter(
      (named) =>
        isKept(reading, completion, step, named) || missed.some(({ text }) => says(text, named, completion)),
    ),
  );
}

function isKept(reading: Reading, completion: Completion, step: Step, named: Named): boolean {
  const { edited_text } = stepRating(reading, step.uid);
  return edited_text ? says(edited_text, named, completion) : !goes(reading, step);
}

/** A step whose regions are all wrong, and that is not plausible, is one that its reader would not write. */
function goes(reading: Reading, step: Step): boolean {
  const { plausibility } = stepRating(reading, step.uid);
  const pointsNowhere =
    step.regions.length > 0 && step.regions.every(({ uid }) => annotation(reading, uid)?.verdict === "wrong");
  const isImplausible = plausibility === null || plausibility <= MOST_IMPLAUSIBLE;
  return pointsNowhere && isImplausible && drawnFor(reading, { kind: "step", uid: step.uid }).length === 0;
}

function isSame(one: Named, other: Named): boolean {
  return one.finding === other.finding && areSidesAlike(one.sides, other.sides);
}

function inAnswer({ answer_names }: Completion, named: Named): string | null {
  const said = answer_names.find((other) => isSame(named, other));
  return said ? withSide(said) : null;
}

function inRewrite(rewrite: string, named: Named, completion: Completion): string | null {
  if (!says(rewrite, named, completion)) return null;
  return withSide(completion.answer_names.find((other) => isSame(named, other)) ?? named);
}

function withSide({ words, sides }: Named): string {
  return sides.length === 1 ? `${sides[0]} ${words}` : words;
}

const PARTS = /[,;.|\n]|\band\b/i;
const DENIED = /\b(?:no|not|without|nor|neither)\b|\bfree of\b/i;

/** A reader's own text, in one of its parts: by words that the output has for it, undenied, and of no other side. */
function says(text: string, named: Named, { steps, answer_names }: Completion): boolean {
  const every = [...answer_names, ...steps.flatMap(({ names }) => names)];
  const wordings = every.filter(({ finding }) => finding === named.finding).map(({ words }) => words);
  return text.split(PARTS).some((part) => {
    const small = part.toLowerCase();
    const has = (word: string): boolean => small.includes(word);
    const isNamed = wordings.some((words) => words.toLowerCase().split(/\s+/).every(has));
    return isNamed && !DENIED.test(part) && areSidesAlike(named.sides, ["left", "right"].filter(has));
  });
}

/** "B's answer still says “left nodule”, taken out of step 2, and 1 more finding taken out."; of both, where each
 * says one, and empty where none does, or that of `only` does not. */
export function stillSaidInWords(reading: Reading, only?: Side): string {
  const every = stillSaid(reading).filter(({ side }) => only === undefined || side === only);
  const [ofA, ofB] = (["a", "b"] as const).map((side) => every.filter((one) => one.side === side));
  return (
    ofBothInWords(ofA ?? [], ofB ?? []) ??
    [ofA, ofB]
      .map((of) => ofOneInWords(reading, of ?? []))
      .join(" ")
      .trim()
  );
}

/** Where both say the same, and nothing else that was taken out; else null. */
function ofBothInWords(
  [a, ...moreOfA]: readonly StillSaid[],
  [b, ...moreOfB]: readonly StillSaid[],
): string | null {
  if (a === undefined || b === undefined || moreOfA.length + moreOfB.length > 0) return null;
  if (a.words !== b.words || a.isRewritten !== b.isRewritten) return null;
  const answers = a.isRewritten ? "Your answers for A and B" : "A's and B's answers";
  const steps =
    a.position === b.position
      ? `step ${a.position} of each`
      : `A's step ${a.position} and B's step ${b.position}`;
  return `${answers} still say “${a.words}”, taken out of ${steps}.`;
}

function ofOneInWords(reading: Reading, [first, ...others]: readonly StillSaid[]): string {
  if (first === undefined) return "";
  const { side, words, position, isRewritten } = first;
  const own = isRewritten ? "Your answer" : "The answer";
  const ofTwo = isRewritten ? `Your answer for ${side.toUpperCase()}` : `${side.toUpperCase()}'s answer`;
  const findings = others.length === 1 ? "finding" : "findings";
  const more = others.length > 0 ? `, and ${others.length} more ${findings} taken out` : "";
  return `${hasTwo(reading) ? ofTwo : own} still says “${words}”, taken out of step ${position}${more}.`;
}

/** The answer that still says it. */
export function placeOfStillSaid(reading: Reading): Place | null {
  const [first] = stillSaid(reading);
  const completion = reading.completions.find(({ side }) => side === first?.side);
  const question = completion && answerQuestions(reading, completion)[0];
  if (first === undefined || question === undefined) return null;
  return { kind: "answer", side: first.side, question: keyOf(question) };
}

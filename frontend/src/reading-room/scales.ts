/** What the values that a reader can choose mean: the anchors of what is asked where the reader is. */
import type { AskedCriterion, CriterionValue, Reading } from "../api/reading";
import { annotation, stepRating } from "./changes";
import { type Place, questionAt } from "./place";
import { answerTo, builtIn } from "./questions";

export interface ScaleValue {
  readonly label: string;
  /** Empty where the reader study says nothing of it. */
  readonly anchor: string;
  readonly isChosen: boolean;
}

export interface Scale {
  readonly name: string;
  readonly question: string;
  /** From least to most: its ends say what lies between. */
  readonly isOrdered: boolean;
  readonly values: readonly ScaleValue[];
}

/** A value that the pointer or the focus is on. */
export interface Pointed {
  readonly name: string;
  readonly question: string;
  readonly label: string;
  readonly anchor: string;
}

/** Stands beside the five points of plausibility, in their place. */
export const CANNOT_JUDGE = { label: "?", anchor: "it cannot be judged on this film" };

/** Of a step both that every step is asked: its plausibility, and the region that has the focus. */
export function scalesAt(reading: Reading, place: Place): Scale[] {
  const question = questionAt(reading, place);
  if (question !== null) return [scaleOf(question.criterion, answerTo(reading, question))];
  if (place.kind !== "step") return [];
  const plausibility = builtIn(reading, "plausibility");
  const verdict = place.region === null ? null : builtIn(reading, "verdict");
  const said = place.region === null ? null : (annotation(reading, place.region)?.verdict ?? null);
  return [
    ...(plausibility ? [scaleOfPlausibility(plausibility, reading, place.step)] : []),
    ...(verdict ? [scaleOf(verdict, said)] : []),
  ];
}

/** Everything that is asked, for a look at all of it. */
export function allScales(reading: Reading): Scale[] {
  return reading.criteria
    .filter(({ options }) => options.some(({ anchor }) => anchor !== ""))
    .map((criterion) => scaleOf(criterion, null));
}

function scaleOf(criterion: AskedCriterion, answer: CriterionValue | null): Scale {
  const { name, question, options } = criterion;
  const isChosen = (value: CriterionValue): boolean =>
    Array.isArray(answer) && !Array.isArray(value) ? answer.includes(value) : answer === value;
  const values = options.map(({ value, label, anchor }) => ({ label, anchor, isChosen: isChosen(value) }));
  return { name, question, isOrdered: criterion.kind === "scale", values };
}

function scaleOfPlausibility(criterion: AskedCriterion, reading: Reading, step: string): Scale {
  const { plausibility, cannot_judge } = stepRating(reading, step);
  const scale = scaleOf(criterion, plausibility);
  return { ...scale, values: [...scale.values, { ...CANNOT_JUDGE, isChosen: cannot_judge }] };
}

/** "4: right, with a small flaw"; null where nothing is chosen, or what is chosen has no anchor. */
export function chosenIn({ values }: Scale): string | null {
  const chosen = values.filter(({ isChosen, anchor }) => isChosen && anchor !== "");
  return chosen.length === 0 ? null : chosen.map(inWords).join(" · ");
}

/** "1: not at all · 5: wholly, and nothing else"; null where they have no anchors, or no order. */
export function endsOf({ values, isOrdered }: Scale): string | null {
  if (!isOrdered) return null;
  const ends = [values[0], values.at(-1)].filter((value) => value !== undefined && value.anchor !== "");
  return ends.length === 0 ? null : ends.map((value) => value && inWords(value)).join(" · ");
}

export function inWords({ label, anchor }: Pick<ScaleValue, "label" | "anchor">): string {
  return anchor === "" ? label : `${label}: ${anchor}`;
}

/** Where the reader is in a case, what is left to do there, and where the next thing lies. */
import {
  type Completion,
  CRITERIA,
  type Criterion,
  type Reading,
  type Region,
  type Side,
  type Step,
} from "../api/reading";
import { annotation, answerRating, stepRating, vote } from "./changes";

export type Place =
  | { readonly kind: "step"; readonly side: Side; readonly step: string; readonly region: string | null }
  | { readonly kind: "answer"; readonly side: Side; readonly criterion: Criterion }
  | { readonly kind: "vote"; readonly side: Side };

export interface Gap {
  readonly place: Place;
  /** Completes the sentence "Left: …". */
  readonly name: string;
}

export function completionOn(reading: Reading, side: Side): Completion | null {
  return reading.completions.find((completion) => completion.side === side) ?? null;
}

export function hasTwo(reading: Reading): boolean {
  return reading.completions.length > 1;
}

export function isWellFormed(completion: Completion): boolean {
  return completion.problems.length === 0;
}

export function stepPlace(side: Side, step: Step, region?: string): Place {
  return { kind: "step", side, step: step.uid, region: region ?? step.regions[0]?.uid ?? null };
}

/** Every place of a side, in the order in which it is read; the vote comes after both sides. */
export function placesOn(reading: Reading, side: Side): Place[] {
  const completion = completionOn(reading, side);
  if (completion === null) return [];
  return [
    ...completion.steps.map((step) => stepPlace(side, step)),
    ...CRITERIA.map((criterion): Place => ({ kind: "answer", side, criterion })),
    ...(hasTwo(reading) ? [{ kind: "vote", side } as const] : []),
  ];
}

export function firstPlace(reading: Reading): Place {
  return gaps(reading)[0]?.place ?? placesOn(reading, "a")[0] ?? { kind: "vote", side: "a" };
}

/** Where a reader who turns to the other side goes on: the first gap there, else its first step. */
export function placeOn(reading: Reading, side: Side): Place {
  const gap = gaps(reading).find(({ place }) => place.kind !== "vote" && place.side === side);
  return gap?.place ?? placesOn(reading, side)[0] ?? { kind: "vote", side };
}

const samePlace = (a: Place, b: Place): boolean => {
  if (a.kind === "step" && b.kind === "step") return a.step === b.step;
  if (a.kind === "answer" && b.kind === "answer") return a.side === b.side && a.criterion === b.criterion;
  return a.kind === b.kind && a.side === b.side;
};

/** One place on or back; past the end of a side lies the other one while it has gaps, then the vote. */
export function walked(reading: Reading, place: Place, by: 1 | -1): Place {
  const places = placesOn(reading, place.side);
  const at = places.findIndex((other) => samePlace(other, place));
  const next = places[at + by] ?? place;
  const other = otherSide(place.side);
  const isPastTheEnd = by === 1 && next.kind === "vote" && place.kind !== "vote";
  return isPastTheEnd && !isSideDone(reading, other) ? placeOn(reading, other) : next;
}

export function otherSide(side: Side): Side {
  return side === "a" ? "b" : "a";
}

/** Whether everything of a side is rated; the vote belongs to none. */
export function isSideDone(reading: Reading, side: Side): boolean {
  return !gaps(reading).some(({ place }) => place.kind !== "vote" && place.side === side);
}

export function isDone(reading: Reading, place: Place): boolean {
  return !gaps(reading).some((gap) => isSameItem(gap.place, place));
}

const isSameItem = (a: Place, b: Place): boolean => (a.kind === "vote" ? b.kind === "vote" : samePlace(a, b));

/** After a key completed `place`: the next gap of its side, and the vote once both sides are done; else itself. */
export function afterCompleting(reading: Reading, place: Place): Place {
  const left = gaps(reading);
  if (left.length === 1 && left[0]?.place.kind === "vote") return { kind: "vote", side: place.side };
  const onSide = left.filter((gap) => gap.place.kind !== "vote" && gap.place.side === place.side);
  const places = placesOn(reading, place.side);
  const order = (other: Place): number => places.findIndex((each) => samePlace(each, other));
  const next = onSide.find((gap) => order(gap.place) > order(place)) ?? onSide[0];
  return next?.place ?? place;
}

/** What is missing before the reading can be signed: the server's rule, seen before it is asked. */
export function gaps(reading: Reading): Gap[] {
  const found: Gap[] = [];
  for (const completion of reading.completions) {
    const prefix = hasTwo(reading) ? `${completion.side.toUpperCase()} ` : "";
    if (isWellFormed(completion)) found.push(...stepGaps(reading, completion, prefix));
    const rating = answerRating(reading, completion.uid);
    for (const criterion of CRITERIA) {
      if (rating[criterion] !== null) continue;
      const place: Place = { kind: "answer", side: completion.side, criterion };
      found.push({ place, name: `${prefix}${criterion}` });
    }
  }
  if (hasTwo(reading) && vote(reading, "overall") === null)
    found.push({ place: { kind: "vote", side: "a" }, name: "vote" });
  return found;
}

export function openRegion(reading: Reading, step: Step): Region | undefined {
  return step.regions.find((region) => annotation(reading, region.uid) === null);
}

function isPlausibilityRated(reading: Reading, step: Step): boolean {
  const rating = stepRating(reading, step.uid);
  return rating.plausibility !== null || rating.cannot_judge;
}

export function isStepRated(reading: Reading, step: Step): boolean {
  return isPlausibilityRated(reading, step) && openRegion(reading, step) === undefined;
}

function stepGaps(reading: Reading, completion: Completion, prefix: string): Gap[] {
  const found: Gap[] = [];
  for (const step of completion.steps) {
    if (isStepRated(reading, step)) continue;
    const open = openRegion(reading, step);
    const isRated = isPlausibilityRated(reading, step);
    const what = isRated ? " region" : "";
    found.push({
      place: stepPlace(completion.side, step, open?.uid),
      name: `${prefix}step ${step.position}${what}`,
    });
  }
  return found;
}

/** Where the reader is in a case, what is left to do there, and where the next thing lies. */
import {
  type Completion,
  CRITERIA,
  type Criterion,
  type Reading,
  type Side,
  type Step,
} from "../api/reading";
import { annotation, answerRating, stepRating } from "./changes";

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

/** One place on or back on the same side; stays at the ends. */
export function walked(reading: Reading, place: Place, by: 1 | -1): Place {
  const places = placesOn(reading, place.side);
  const at = places.findIndex((other) => samePlace(other, place));
  return places[at + by] ?? place;
}

export function isDone(reading: Reading, place: Place): boolean {
  return !gaps(reading).some((gap) => isSameItem(gap.place, place));
}

const isSameItem = (a: Place, b: Place): boolean => (a.kind === "vote" ? b.kind === "vote" : samePlace(a, b));

/** After a key completed `place`: the next gap in reading order, wherever it lies; itself when none is left. */
export function afterCompleting(reading: Reading, place: Place): Place {
  const left = gaps(reading);
  const order = (other: Place): number => orderOf(reading, other);
  const next = left.find((gap) => order(gap.place) > order(place)) ?? left[0];
  if (next === undefined) return place;
  return next.place.kind === "vote" ? { kind: "vote", side: place.side } : next.place;
}

function orderOf(reading: Reading, place: Place): number {
  if (place.kind === "vote") return Number.POSITIVE_INFINITY;
  const side = place.side === "a" ? 0 : 10_000;
  return side + placesOn(reading, place.side).findIndex((other) => samePlace(other, place));
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
  if (hasTwo(reading) && reading.vote === null)
    found.push({ place: { kind: "vote", side: "a" }, name: "vote" });
  return found;
}

function stepGaps(reading: Reading, completion: Completion, prefix: string): Gap[] {
  const found: Gap[] = [];
  for (const step of completion.steps) {
    const rating = stepRating(reading, step.uid);
    const open = step.regions.find((region) => annotation(reading, region.uid) === null);
    const isRated = rating.plausibility !== null || rating.cannot_judge;
    if (isRated && open === undefined) continue;
    const what = isRated ? " region" : "";
    found.push({
      place: stepPlace(completion.side, step, open?.uid),
      name: `${prefix}step ${step.position}${what}`,
    });
  }
  return found;
}

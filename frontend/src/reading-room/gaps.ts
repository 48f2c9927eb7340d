/** What is left to do in a case, by name, and where the focus goes from an item that is complete. */
import type { Completion, Reading, Side, Step } from "../api/reading";
import { hasDisputes, isDisputed, isLeft, itemOfQuestion, plausibilityOf, verdictOn } from "./disputes";
import { isAsked, isFolded } from "./not-asked";
import {
  commonPlaces,
  completionOn,
  firstReadPlaces,
  hasTwo,
  isStepRated,
  isWellFormed,
  needsPlausibility,
  openRegion,
  otherSide,
  type Place,
  placesOfOutput,
  placesOn,
  questionAt,
  samePlace,
  stepPlace,
} from "./place";
import { answerTo, builtIn, type Question } from "./questions";
import { labelOf } from "./region-items";

export interface Gap {
  readonly place: Place;
  /** Completes the sentence "To do: …". */
  readonly name: string;
}

/** What is missing before the reading can be signed, or its first read locked: the server's rule, seen before it
 * is asked. */
export function gaps(reading: Reading): Gap[] {
  if (reading.stage === "first_read") return firstReadGaps(reading);
  const sides = reading.completions.flatMap(({ side }) =>
    placesOfOutput(reading, side).map((place) => gapAt(reading, place, true)),
  );
  const common = commonPlaces(reading, "a").map((place) => gapAt(reading, place, true));
  return [...sides, ...common].filter((gap) => gap !== null);
}

function firstReadGaps(reading: Reading): Gap[] {
  const { form, first } = reading.first_read ?? {};
  const place: Place = { kind: "first-read", side: "a", part: "answer" };
  if (form === "choice") return first?.choice ? [] : [{ place, name: "your answer" }];
  const findings = first?.findings ?? [];
  const others = findings.filter((name) => name !== NO_FINDING && name !== SUPPORT_DEVICES);
  if (findings.length === 0 && !first?.impression.trim()) return [{ place, name: "a finding, or a line" }];
  if (findings.includes(NO_FINDING) && others.length > 0) {
    return [{ place, name: `“${NO_FINDING}” cannot stand beside ${others.join(", ")}` }];
  }
  return [];
}

const NO_FINDING = "No Finding";
const SUPPORT_DEVICES = "Support Devices";

/** What has no answer at a place, or null; `mustOnly`: what must have one. */
function gapAt(reading: Reading, place: Place, mustOnly: boolean): Gap | null {
  const completion = completionOn(reading, place.side);
  const isRatedAtAll = place.kind !== "step" || (completion !== null && isWellFormed(completion));
  if (!isRatedAtAll || place.kind === "finding" || place.kind === "first-read") return null;
  const question = questionAt(reading, place);
  const side = place.kind === "step" || place.kind === "answer" ? place.side.toUpperCase() : "";
  const prefix = side && hasTwo(reading) ? `${side} ` : "";
  if (question === null) return place.kind === "step" ? stepGap(reading, place, prefix, mustOnly) : null;
  const item = itemOfQuestion(question);
  const mayStayOpen = mustOnly && !question.criterion.is_required && !isDisputed(reading, item);
  if (mayStayOpen || isLeft(reading, item)) return null;
  if (answerTo(reading, question) !== null || !isAsked(reading, question)) return null;
  const step = completion && place.kind === "step" ? stepAt(completion, place) : null;
  const name = question.criterion.name.toLowerCase();
  return { place, name: `${prefix}${step ? `${partOf(step, question)} ` : ""}${name}` };
}

/** "step 2"; of a question on one of its several regions "region 2a". */
function partOf(step: Step, question: Question): string {
  const region = step.regions.length > 1 && step.regions.find(({ uid }) => uid === question.region);
  return region ? `region ${labelOf(step, region)}` : `step ${step.position}`;
}

function stepAt(completion: Completion, place: Place): Step | null {
  return (place.kind === "step" && completion.steps.find(({ uid }) => uid === place.step)) || null;
}

function stepGap(
  reading: Reading,
  place: Extract<Place, { kind: "step" }>,
  prefix: string,
  mustOnly: boolean,
): Gap | null {
  const completion = completionOn(reading, place.side);
  const step = completion && stepAt(completion, place);
  if (!step) return null;
  // What is disputed needs a word even where the reader study asks for none.
  const counts = (field: string): boolean =>
    !mustOnly || hasDisputes(reading) || (builtIn(reading, field)?.is_required ?? false);
  const isRated = !needsPlausibility(reading, step) || !counts("plausibility");
  const open = counts("verdict") ? openRegion(reading, step) : undefined;
  if (isRated && open === undefined) return null;
  const what = isRated ? " region" : "";
  return {
    place: stepPlace(place.side, step, open?.uid),
    name: `${prefix}step ${step.position}${what}`,
  };
}

export function firstPlace(reading: Reading): Place {
  return (
    gaps(reading)[0]?.place ?? placesOn(reading, "a")[0] ?? { kind: "first-read", side: "a", part: "answer" }
  );
}

const isOfOutput = ({ kind }: Place): boolean => kind === "step" || kind === "answer" || kind === "finding";

/** Where a reader who turns to the other side goes on: the first gap there, else its first step. */
export function placeOn(reading: Reading, side: Side): Place {
  const gap = gaps(reading).find(({ place }) => isOfOutput(place) && place.side === side);
  return gap?.place ?? placesOn(reading, side)[0] ?? firstPlace(reading);
}

/** Where a reader goes on whose missed finding is no more: to the first gap of its output, else to its last item. */
export function placeAfterFinding(reading: Reading, side: Side): Place {
  const isRated = isSideDone(reading, side);
  return (isRated ? placesOfOutput(reading, side).at(-1) : undefined) ?? placeOn(reading, side);
}

/** Whether everything of a side is rated; what is asked between the two belongs to none. */
export function isSideDone(reading: Reading, side: Side): boolean {
  return numLeftOn(reading, side) === 0;
}

export function numLeftOn(reading: Reading, side: Side): number {
  return gaps(reading).filter(({ place }) => isOfOutput(place) && place.side === side).length;
}

/** Whether everything that is asked here is answered, whether or not it must be. */
export function isDone(reading: Reading, place: Place): boolean {
  const completion = completionOn(reading, place.side);
  const step = completion && stepAt(completion, place);
  // The steps of a malformed output need no rating, and one that is begun is still not left.
  if (step && place.kind === "step" && place.question === null) return isStepRated(reading, step);
  const question = questionAt(reading, place);
  if (question === null || answerTo(reading, question) !== null || !isAsked(reading, question)) return true;
  return isLeft(reading, itemOfQuestion(question));
}

/** One place on or back, past what is folded away; past the end of a side lies the other one while it has gaps, and
 * past a change of mind what is still open. */
export function walked(reading: Reading, place: Place, by: 1 | -1, opened: readonly string[] = []): Place {
  if (place.kind === "first-read") {
    const parts = firstReadPlaces(reading, place.side);
    const isLast = by === 1 && reading.stage !== "first_read";
    return (
      parts[parts.findIndex((other) => samePlace(other, place)) + by] ??
      (isLast ? firstPlace(reading) : place)
    );
  }
  const places = placesOn(reading, place.side).filter((other) => {
    const question = questionAt(reading, other);
    return samePlace(other, place) || question === null || !isFolded(reading, question, opened);
  });
  const at = places.findIndex((other) => samePlace(other, place));
  const next = places[at + by] ?? place;
  const other = otherSide(place.side);
  const isPastTheEnd = by === 1 && isOfOutput(place) && (!isOfOutput(next) || samePlace(next, place));
  return isPastTheEnd && !isSideDone(reading, other) ? placeOn(reading, other) : next;
}

/** After `place`, over both sides and round again; null where nothing is disputed. */
export function nextDisputed(reading: Reading, place: Place): Place | null {
  const every = [
    ...reading.completions.flatMap(({ side }) => placesOfOutput(reading, side)),
    ...commonPlaces(reading, place.side),
  ];
  const at = every.findIndex((other) => samePlace(other, place));
  const inTurn = [...every.slice(at + 1), ...every.slice(0, at + 1)];
  return firstOf(inTurn, (other) => disputedAt(reading, other));
}

/** Of a step, with the region that is disputed in hand. */
function disputedAt(reading: Reading, place: Place): Place | null {
  const question = questionAt(reading, place);
  if (question !== null) return isDisputed(reading, itemOfQuestion(question)) ? place : null;
  const completion = completionOn(reading, place.side);
  const step = completion && stepAt(completion, place);
  if (!step) return null;
  const region = step.regions.find(({ uid }) => isDisputed(reading, verdictOn(uid)));
  if (region) return stepPlace(place.side, step, region.uid);
  return isDisputed(reading, plausibilityOf(step.uid)) ? place : null;
}

/** After a key completed `place`: what is open after it on its side, before it, on the other side, between the two,
 * of the case; else itself. */
export function afterCompleting(reading: Reading, place: Place): Place {
  const places = placesOn(reading, place.side);
  const at = places.findIndex((other) => samePlace(other, place));
  const after = places.slice(at + 1).filter((other) => isOfOutput(other) === isOfOutput(place));
  const open = firstOf(after, (other) => gapAt(reading, other, false));
  if (open) return open.place;
  const must = gaps(reading);
  const here = must.find((gap) => isOfOutput(gap.place) && gap.place.side === place.side);
  if (here) return here.place;
  const next = must.find((gap) => isOfOutput(gap.place));
  if (next) return next.place;
  const common = firstOf(commonPlaces(reading, place.side), (other) => gapAt(reading, other, false));
  return common?.place ?? place;
}

function firstOf<Value, Found>(values: readonly Value[], find: (value: Value) => Found | null): Found | null {
  for (const value of values) {
    const found = find(value);
    if (found !== null) return found;
  }
  return null;
}

const MOST_NAMED = 4;
/** Two lines beside the button, with what comes after. */
const MOST_LETTERS = 56;

/** "B step 2, B correctness and 3 more". */
export function leftToDo(reading: Reading): string {
  const names = gaps(reading).map((gap) => gap.name);
  const all = names.join(", ");
  if (names.length <= MOST_NAMED && all.length <= MOST_LETTERS) return all;
  let numNamed = Math.min(MOST_NAMED, names.length) - 1;
  while (numNamed > 1 && names.slice(0, numNamed).join(", ").length > MOST_LETTERS) numNamed -= 1;
  numNamed = Math.max(numNamed, 1);
  const numMore = names.length - numNamed;
  return numMore === 0 ? all : `${names.slice(0, numNamed).join(", ")} and ${numMore} more`;
}

/** Steps of the two outputs that say the same in words, and what a reader said of the one taken over for the other. */
import type { Change, Completion, Reading, Region, Side, Step } from "../api/reading";
import { overlap } from "../viewer/geometry";
import { adjustedBox, annotate, annotation, stepRating } from "./changes";
import { completionOn, isPlausibilityRated, openRegion, otherSide } from "./place";
import { answering, answerTo, builtIn, ownQuestions, type Question } from "./questions";

const NUM_COLOURS = 5;
/** Of the regions of a first read, which belong to no step and to no finding. */
export const COLOUR_OF_FIRST_READ = 6;

/** A box as it is written within a sentence, with the word that leads to it: rl_feedback/choosing.py compares alike. */
const WRITTEN_BOX = /\s*(?:\b(?:with|and)\b)?\s*\[[^\]]*\]/gi;

/** Without boxes, capitals, and the full stop at its end. */
export function plainWords(text: string): string {
  const words = text.replace(WRITTEN_BOX, "").split(/\s+/).filter(Boolean);
  return words
    .join(" ")
    .toLowerCase()
    .replace(/[ .]+$/, "");
}

/** Twins and colours of one pair of outputs: they stay the same for as long as the case is on the screen. */
interface Pairing {
  /** By a step's uid, the step of the other output that says the same. */
  readonly twins: ReadonlyMap<string, Step>;
  /** By a step's uid, 1 to 5. */
  readonly colours: ReadonlyMap<string, number>;
}

const known = new WeakMap<readonly Completion[], Pairing>();

function pairingOf({ completions }: Pick<Reading, "completions">): Pairing {
  const found = known.get(completions);
  if (found !== undefined) return found;
  const [a, b] = (["a", "b"] as const).map(
    (side) => completions.find((completion) => completion.side === side)?.steps ?? [],
  ) as [Step[], Step[]];
  const twins = twinsOf(a, b);
  const made = { twins, colours: coloursOf(a, b, twins) };
  known.set(completions, made);
  return made;
}

/** Where an output says one thing twice, the one whose regions lie where the other's do is meant, else the first. */
function twinsOf(a: readonly Step[], b: readonly Step[]): Map<string, Step> {
  const twins = new Map<string, Step>();
  for (const isTwin of [isTheSame, areAlike, sayTheSame]) {
    for (const step of a.filter(({ uid }) => !twins.has(uid))) {
      const twin = b.find((other) => !twins.has(other.uid) && isTwin(step, other));
      if (twin === undefined) continue;
      twins.set(step.uid, twin);
      twins.set(twin.uid, step);
    }
  }
  return twins;
}

function sayTheSame(one: Step, other: Step): boolean {
  const words = plainWords(one.text);
  return words !== "" && words === plainWords(other.text);
}

/** In words and in where they point. */
const areAlike = (one: Step, other: Step): boolean => pointWhere(one, other, liesAlike);

const isTheSame = (one: Step, other: Step): boolean => pointWhere(one, other, isSamePlace);

function pointWhere(one: Step, other: Step, isThere: (a: Region, b: Region) => boolean): boolean {
  const hasPartner = (region: Region): boolean => other.regions.some((each) => isThere(region, each));
  return (
    sayTheSame(one, other) && one.regions.length === other.regions.length && one.regions.every(hasPartner)
  );
}

/** Of a twin, what lies where the region does: nearest to it where several do. */
function partnerOf(region: Region, twin: Step): Region | undefined {
  const near = twin.regions.filter((other) => liesAlike(region, other));
  return near.sort((a, b) => overlap(region, b) - overlap(region, a))[0];
}

/** By a step's place; on B a twin has the colour of its twin, and the others one that means nothing else, while there
 * are any. */
function coloursOf(
  a: readonly Step[],
  b: readonly Step[],
  twins: ReadonlyMap<string, Step>,
): Map<string, number> {
  const colours = new Map(a.map((step) => [step.uid, byPlace(step)]));
  const isTwin = ({ uid }: Step): boolean => twins.has(uid);
  for (const step of b.filter(isTwin)) colours.set(step.uid, byPlace(twins.get(step.uid) ?? step));
  const own = b.filter((step) => !isTwin(step));
  for (const step of own) {
    colours.set(step.uid, b.some(isTwin) ? leastUsed(step, colours, b, a) : byPlace(step));
  }
  return colours;
}

function byPlace({ position }: Pick<Step, "position">): number {
  return ((position - 1) % NUM_COLOURS) + 1;
}

/** Least used by `own` steps, of those by `others`, of those the first from the step's place on. */
function leastUsed(
  step: Step,
  colours: ReadonlyMap<string, number>,
  own: readonly Step[],
  others: readonly Step[],
): number {
  const uses = (steps: readonly Step[], colour: number): number =>
    steps.filter(({ uid }) => colours.get(uid) === colour).length;
  const candidates = Array.from({ length: NUM_COLOURS }, (_, at) =>
    byPlace({ position: step.position + at }),
  );
  const worth = (colour: number): number => uses(own, colour) * (others.length + 1) + uses(others, colour);
  return candidates.reduce((best, colour) => (worth(colour) < worth(best) ? colour : best));
}

/** The same number, colour and dash on a step and its regions; the same colour on both sides for the same words. */
export function colourOf(reading: Pick<Reading, "completions">, step: Step): number {
  return pairingOf(reading).colours.get(step.uid) ?? byPlace(step);
}

/** Past a completion's steps colours go on by number. */
export function colourAfter(completion: Completion | null, number: number): number {
  return byPlace({ position: (completion?.steps.length ?? 0) + number });
}

/** The step of the other output that says the same; null where none does. */
export function twinOf(reading: Pick<Reading, "completions">, step: Step): Step | null {
  return pairingOf(reading).twins.get(step.uid) ?? null;
}

/** Whether each step of either output says the same as one of the other. */
export function areStepsTwins(reading: Pick<Reading, "completions">): boolean {
  const steps = reading.completions.flatMap((completion) => completion.steps);
  return steps.length > 0 && steps.every((step) => twinOf(reading, step) !== null);
}

/** "step 2 of output A", on the side over there from `side`. */
export function twinName(side: Side, twin: Step): string {
  return `step ${twin.position} of output ${otherSide(side).toUpperCase()}`;
}

/** What makes a step rated as its twin: its plausibility and note, its wording where both point alike, the verdicts of regions that lie where the twin's
 * do, and, where all of them do, the reader study's own questions of both. A sentence instead where nothing is to be taken over. */
export function asTwin(reading: Reading, side: Side, step: Step): Change[] | string {
  const there = `output ${otherSide(side).toUpperCase()}`;
  if (completionOn(reading, otherSide(side)) === null) return "This case has one output.";
  const twin = twinOf(reading, step);
  if (twin === null) return `No step of ${there} says this in the same words.`;
  const changes = [
    ...asRated(reading, step, twin),
    ...asJudged(reading, step, twin),
    ...asAnswered(reading, ownQuestions(reading, step), ownQuestionsAlike(reading, step, twin)),
  ];
  if (changes.length > 0) return changes;
  const isRated = builtIn(reading, "plausibility") !== null && isPlausibilityRated(reading, twin);
  const isSame =
    isRated ||
    twin.regions.some(({ uid }) => annotation(reading, uid) !== null) ||
    ownQuestions(reading, twin).some((question) => answerTo(reading, question) !== null);
  const name = twinName(side, twin);
  if (isSame) return `It is rated as ${name} already.${leftBeside(reading, step, twin)}`;
  return `${name.replace("s", "S")} is not rated yet.`;
}

/** What is still to be judged of a step after it is rated as its twin; empty where nothing is. */
export function leftBeside(reading: Reading, step: Step, twin: Step): string {
  const open = openRegion(reading, step);
  if (open === undefined) return "";
  if (partnerOf(open, twin) !== undefined) return " Its region is not judged there yet.";
  // Corners that were written the other way round may enclose the very same place.
  if (open.problem === "inverted") return " Its region has its corners swapped: judge it here.";
  return " Its region lies elsewhere: judge it here.";
}

function asRated(reading: Reading, step: Step, twin: Step): Change[] {
  if (builtIn(reading, "plausibility") === null || !isPlausibilityRated(reading, twin)) return [];
  const there = stepRating(reading, twin.uid);
  const { plausibility, cannot_judge } = there;
  const now = stepRating(reading, step.uid);
  // Words of the reader's own that stand here already stay; a wording may hold boxes, so they must be the same ones.
  const note = now.note || there.note;
  const edited_text = now.edited_text || (isTheSame(step, twin) ? there.edited_text : "");
  const payload = { ...now, plausibility, cannot_judge, note, edited_text };
  return JSON.stringify(payload) === JSON.stringify(now) ? [] : [{ kind: "rate_step", payload }];
}

function asJudged(reading: Reading, step: Step, twin: Step): Change[] {
  if (builtIn(reading, "verdict") === null) return [];
  return step.regions.flatMap((region): Change[] => {
    const same = partnerOf(region, twin);
    const made = same === undefined ? null : annotation(reading, same.uid);
    if (made === null) return [];
    const change = annotate(region.uid, made.verdict, adjustedBox(made));
    const now = annotation(reading, region.uid);
    const before = annotate(region.uid, now?.verdict ?? null, adjustedBox(now));
    return JSON.stringify(change) === JSON.stringify(before) ? [] : [change];
  });
}

/** Of the twin, in the order of the step's: none where a region lies elsewhere, since where a finding is may be asked. */
function ownQuestionsAlike(reading: Reading, step: Step, twin: Step): Question[] {
  const inOrder = step.regions.map((region) => partnerOf(region, twin));
  const regions = inOrder.flatMap((region) => region ?? []);
  const isAlike = regions.length === step.regions.length && regions.length === twin.regions.length;
  return isAlike ? ownQuestions(reading, { ...twin, regions }) : [];
}

/** Each question answered as the one in its place among `twins`, where that is answered. */
export function asAnswered(
  reading: Reading,
  questions: readonly Question[],
  twins: readonly Question[],
): Change[] {
  return questions.flatMap((question, at): Change[] => {
    const twin = twins[at];
    const there = twin === undefined ? null : answerTo(reading, twin);
    const isSame = JSON.stringify(answerTo(reading, question)) === JSON.stringify(there);
    return there === null || isSame ? [] : [answering(reading, question, there)];
  });
}

/** From this share on, of what both cover in what either covers, two regions lie alike, and a verdict on one is one
 * on the other: of a region 10 cm wide, shifted by 5 mm at most. Practice cases call regions close from 0.5 on. */
const ALIKE_FROM = 0.9;

function liesAlike(one: Region, other: Region): boolean {
  return isSamePlace(one, other) || overlap(one, other) >= ALIKE_FROM;
}

/** To the pixel. */
function isSamePlace(one: Region, other: Region): boolean {
  return (["x_min", "y_min", "x_max", "y_max"] as const).every((edge) => one[edge] === other[edge]);
}

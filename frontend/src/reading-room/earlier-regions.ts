/** Where earlier readers put regions, for the reader who decides between them: drawn and told apart, never moved. */
import type { Completion, Reading, Step } from "../api/reading";
import type { RegionMark } from "../viewer/film";
import { type Box, isDrawable } from "../viewer/geometry";
import { adjustedBox } from "./changes";
import { completionOn, type Place } from "./place";
import { labelOf, letterAt } from "./region-items";
import { COLOUR_OF_FIRST_READ, colourAfter, colourOf } from "./twins";

type Earlier = NonNullable<Reading["adjudication"]>["readings"][number];

export interface EarlierRegion {
  readonly uid: string;
  /** The model's region that it was in place of; null for a further one. */
  readonly of: string | null;
  /** "R1 2a": of reader 1, on region 2a; "R1 2+1" a further one, "R1 M1" of a missed finding. */
  readonly label: string;
  /** 1 for the first of the earlier readers. */
  readonly reader: number;
  readonly box: Box;
}

/** What the reader at `index` redrew of a step's regions, and drew beside them. */
export function regionsOnStep(earlier: Earlier, index: number, step: Step): EarlierRegion[] {
  const reader = index + 1;
  const redrawn = step.regions.flatMap((region): EarlierRegion[] => {
    const made = earlier.region_annotations.find((row) => row.region === region.uid) ?? null;
    const box = adjustedBox(made);
    const label = `R${reader} ${labelOf(step, region)}`;
    return box === null ? [] : [{ uid: `${region.uid} ${reader}`, of: region.uid, label, reader, box }];
  });
  const further = earlier.drawn_regions
    .filter((row) => row.step === step.uid)
    .map((box, at) => ({
      uid: box.uid,
      of: null,
      label: `R${reader} ${step.position}+${at + 1}`,
      reader,
      box,
    }));
  return [...redrawn, ...further];
}

/** What the reader at `index` drew for the finding that they missed as their `number`th. */
export function regionsOfMissed(
  earlier: Earlier,
  index: number,
  finding: string,
  number: number,
): EarlierRegion[] {
  const reader = index + 1;
  const drawn = earlier.drawn_regions.filter((row) => row.missed_finding === finding);
  return drawn.map((box, at) => {
    const letter = drawn.length < 2 ? "" : letterAt(at);
    return { uid: box.uid, of: null, label: `R${reader} M${number}${letter}`, reader, box };
  });
}

/** What the reader at `index` drew on the film alone, and after the reveal: "R1 F1", "R1 F2". */
export function regionsOfFirstRead(earlier: Earlier, index: number): EarlierRegion[] {
  const reader = index + 1;
  const drawn = [...(earlier.said_first?.regions ?? []), ...(earlier.said_after_reveal?.regions ?? [])];
  return drawn.map((box, at) => {
    const number = drawn.length < 2 ? "" : `${at + 1}`;
    return { uid: box.uid, of: null, label: `R${reader} F${number}`, reader, box };
  });
}

/** A reader's missed findings of one output, each with its number. */
export function missedOf(
  earlier: Earlier,
  completion: string,
): { readonly uid: string; readonly text: string; readonly number: number }[] {
  return earlier.missed_findings
    .filter((finding) => finding.completion === completion)
    .map(({ uid, text }, at) => ({ uid, text, number: at + 1 }));
}

/** Drawn with the item that has the focus or is pointed at, on the side in focus. */
export function earlierMarks(
  reading: Reading,
  looking: { readonly place: Place; readonly hovered: string | null; readonly showsAll: boolean },
): RegionMark[] {
  const { place, hovered, showsAll } = looking;
  const completion = completionOn(reading, place.side);
  if (completion === null) return [];
  const isAt = (step: Step): boolean => place.kind === "step" && place.step === step.uid;
  const steps = completion.steps.filter((step) => showsAll || step.uid === hovered || isAt(step));
  const isAtMissed = showsAll || place.kind === "finding";
  const isAtFirstRead = showsAll || place.kind === "first-read";
  return (reading.adjudication?.readings ?? []).flatMap((earlier, index) => [
    ...steps.flatMap((step) =>
      regionsOnStep(earlier, index, step).map((region) => markOf(reading, region, colourOf(reading, step))),
    ),
    ...(isAtMissed ? missedMarks(reading, earlier, index, completion) : []),
    ...(isAtFirstRead
      ? regionsOfFirstRead(earlier, index).map((region) => markOf(reading, region, COLOUR_OF_FIRST_READ))
      : []),
  ]);
}

function missedMarks(
  reading: Reading,
  earlier: Earlier,
  index: number,
  completion: Completion,
): RegionMark[] {
  return missedOf(earlier, completion.uid).flatMap(({ uid, number }) =>
    regionsOfMissed(earlier, index, uid, number).map((region) =>
      markOf(reading, region, colourAfter(completion, number)),
    ),
  );
}

function markOf(reading: Reading, { uid, label, reader, box }: EarlierRegion, colour: number): RegionMark {
  const { columns: width, rows: height } = reading.instance;
  return {
    uid,
    label,
    box,
    original: null,
    colour,
    dashed: false,
    focused: false,
    wrong: false,
    flawed: !isDrawable(box, { width, height }),
    adjustable: false,
    reader,
  };
}

/** Which regions are drawn, and how: the same number, colour and dash as the steps they belong to. */
import type { Reading, Region, Side, Step } from "../api/reading";
import type { RegionMark } from "../viewer/film";
import { type Box, isDrawable, nearestVisible } from "../viewer/geometry";
import { adjustedBox, annotation } from "./changes";
import { completionOn, type Place } from "./place";

const NUM_COLOURS = 5;

export function colourOf(step: Step): number {
  return ((step.position - 1) % NUM_COLOURS) + 1;
}

/** "2" for a step's only region, "2a", "2b" … where it has several. */
export function labelOf(step: Step, region: Region): string {
  if (step.regions.length < 2) return String(step.position);
  return `${step.position}${String.fromCharCode(96 + region.position)}`;
}

const WRITTEN_BOX = /(\[\s*-?[\d.]+(?:\s*,\s*-?[\d.]+){3}\s*,?\s*\])/;

/** A step's text cut at its boxes, each with its region's label; whole where boxes and regions do not match. */
export function partsOf(step: Step): { readonly text: string; readonly label: string | null }[] {
  const parts = step.text.split(WRITTEN_BOX);
  if ((parts.length - 1) / 2 !== step.regions.length) return [{ text: step.text, label: null }];
  return parts.map((text, at) => {
    const region = at % 2 === 1 ? step.regions[(at - 1) / 2] : undefined;
    return { text, label: region ? labelOf(step, region) : null };
  });
}

export interface Looking {
  readonly place: Place;
  readonly hoveredStep: string | null;
  readonly showsAll: boolean;
  readonly isHidden: boolean;
  readonly drawing: string | null;
  /** A region on its way by arrow keys, not yet saved. */
  readonly nudged: { readonly region: string; readonly box: Box } | null;
}

/** The whole image is a poor region, but one that can be drawn. */
function isMisplaced({ problem }: Region): boolean {
  return problem !== "" && problem !== "whole_image";
}

/** The box that counts now: the reader's where there is one, else the model's. */
export function currentBox(reading: Reading, region: Region): Box {
  return adjustedBox(annotation(reading, region.uid)) ?? region;
}

export function focusedStep(reading: Reading, place: Place): Step | null {
  if (place.kind !== "step") return null;
  return completionOn(reading, place.side)?.steps.find((step) => step.uid === place.step) ?? null;
}

export function focusedRegion(reading: Reading, place: Place): Region | null {
  if (place.kind !== "step") return null;
  return focusedStep(reading, place)?.regions.find((region) => region.uid === place.region) ?? null;
}

export function marksFor(reading: Reading, looking: Looking): RegionMark[] {
  if (looking.isHidden) return [];
  const side: Side = looking.place.side;
  const film = { width: reading.instance.columns, height: reading.instance.rows };
  const marks: RegionMark[] = [];
  for (const step of completionOn(reading, side)?.steps ?? []) {
    const isFocused = looking.place.kind === "step" && looking.place.step === step.uid;
    if (!isFocused && !looking.showsAll && looking.hoveredStep !== step.uid) continue;
    for (const region of step.regions) {
      const made = annotation(reading, region.uid);
      const moved = looking.nudged?.region === region.uid ? looking.nudged.box : adjustedBox(made);
      const box = moved ?? region;
      const flawed = moved === null && (isMisplaced(region) || !isDrawable(box, film));
      const focused = isFocused && looking.place.kind === "step" && looking.place.region === region.uid;
      const isDrawing = looking.drawing === region.uid;
      marks.push({
        uid: region.uid,
        label: labelOf(step, region),
        box: flawed ? nearestVisible(box, film) : box,
        original: moved !== null && isDrawable(region, film) ? region : null,
        colour: colourOf(step),
        dashed: side === "b",
        focused,
        wrong: made?.verdict === "wrong" && !isDrawing,
        flawed,
        adjustable: focused && reading.signed_at === null && (isDrawing || moved !== null),
      });
    }
  }
  return marks;
}

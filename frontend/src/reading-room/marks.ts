/** Which regions are drawn, and how: the same number, colour and dash as the steps they belong to. */
import type { Reading, Region, Side, Step } from "../api/reading";
import type { RegionMark } from "../viewer/film";
import { type Box, isDrawable, nearestVisible } from "../viewer/geometry";
import { adjustedBox, annotation } from "./changes";
import { completionOn, type Place } from "./place";
import { drawnFor, type Owner, ownerAt } from "./regions";

const NUM_COLOURS = 5;

export function colourOf(step: Pick<Step, "position">): number {
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

/** A region of the reader's own that is about to be drawn. */
export interface Fresh {
  readonly uid: string;
  readonly owner: Owner;
}

/** A region as the reader can point at it. */
export interface RegionItem {
  readonly uid: string;
  readonly label: string;
  /** The one that counts now: the reader's where there is one, else the model's. */
  readonly box: Box;
  /** The model's region; null for one of the reader's own. */
  readonly region: Region | null;
  /** What a region of the reader's own belongs to. */
  readonly owner: Owner | null;
}

/** The box that counts now: the reader's where there is one, else the model's. */
export function currentBox(reading: Reading, region: Region): Box {
  return adjustedBox(annotation(reading, region.uid)) ?? region;
}

/** A step's regions: the model's, then the reader's own, "2+1", "2+2". */
export function itemsOf(reading: Reading, step: Step): RegionItem[] {
  const told = step.regions.map((region) => ({
    uid: region.uid,
    label: labelOf(step, region),
    box: currentBox(reading, region),
    region,
    owner: null,
  }));
  return [...told, ...ownItems(reading, { kind: "step", uid: step.uid }, `${step.position}+`)];
}

/** The reader's own regions of one thing, numbered from 1. */
export function ownItems(reading: Reading, owner: Owner, prefix: string): RegionItem[] {
  return drawnFor(reading, owner).map((drawn, at) => ({
    uid: drawn.uid,
    label: `${prefix}${at + 1}`,
    box: drawn,
    region: null,
    owner,
  }));
}

/** The step on this side that a region, the model's or the reader's, belongs to. */
export function stepOf(reading: Reading, side: Side, region: string): Step | null {
  const steps = completionOn(reading, side)?.steps ?? [];
  return steps.find((step) => itemsOf(reading, step).some(({ uid }) => uid === region)) ?? null;
}

export function focusedStep(reading: Reading, place: Place): Step | null {
  if (place.kind !== "step") return null;
  return completionOn(reading, place.side)?.steps.find((step) => step.uid === place.step) ?? null;
}

export function focusedRegion(reading: Reading, place: Place): Region | null {
  if (place.kind !== "step") return null;
  return focusedStep(reading, place)?.regions.find((region) => region.uid === place.region) ?? null;
}

/** The region that keys move and delete. */
export function focusedItem(reading: Reading, place: Place): RegionItem | null {
  const step = focusedStep(reading, place);
  if (step === null || place.kind !== "step") return null;
  return itemsOf(reading, step).find(({ uid }) => uid === place.region) ?? null;
}

export interface Looking {
  readonly place: Place;
  readonly hoveredStep: string | null;
  readonly showsAll: boolean;
  readonly isHidden: boolean;
  readonly drawing: string | null;
  readonly fresh: Fresh | null;
  /** A region on its way by arrow keys, not yet saved. */
  readonly nudged: { readonly region: string; readonly box: Box } | null;
}

export function marksFor(reading: Reading, looking: Looking): RegionMark[] {
  if (looking.isHidden) return [];
  const { place } = looking;
  const marks: RegionMark[] = [];
  for (const step of completionOn(reading, place.side)?.steps ?? []) {
    const isFocused = place.kind === "step" && place.step === step.uid;
    if (!isFocused && !looking.showsAll && looking.hoveredStep !== step.uid) continue;
    const look = { colour: colourOf(step), dashed: place.side === "b" };
    for (const item of itemsOf(reading, step)) {
      const focused = isFocused && place.region === item.uid;
      marks.push(markOf(reading, looking, item, { ...look, focused }));
    }
  }
  const fresh = freshMark(reading, looking);
  return fresh === null ? marks : [...marks, fresh];
}

type Look = Pick<RegionMark, "colour" | "dashed" | "focused">;

function markOf(reading: Reading, looking: Looking, item: RegionItem, look: Look): RegionMark {
  const { region } = item;
  const film = { width: reading.instance.columns, height: reading.instance.rows };
  const made = region && annotation(reading, region.uid);
  const nudged = looking.nudged?.region === item.uid ? looking.nudged.box : null;
  const box = nudged ?? item.box;
  const isOwn = region === null || nudged !== null || adjustedBox(made) !== null;
  const isDrawing = looking.drawing === item.uid;
  const flawed = !isOwn && (isMisplaced(region) || !isDrawable(box, film));
  return {
    ...look,
    uid: item.uid,
    label: item.label,
    box: flawed ? nearestVisible(box, film) : box,
    original: isOwn && region && isDrawable(region, film) ? region : null,
    wrong: made?.verdict === "wrong" && !isDrawing,
    flawed,
    adjustable: look.focused && reading.signed_at === null && (isDrawing || isOwn),
  };
}

/** A new region on its way by arrow keys. */
function freshMark(reading: Reading, { fresh, nudged, place }: Looking): RegionMark | null {
  if (fresh === null || nudged?.region !== fresh.uid) return null;
  const step = focusedStep(reading, place);
  return {
    uid: fresh.uid,
    label: "new",
    box: nudged.box,
    original: null,
    colour: step ? colourOf(step) : 1,
    dashed: place.side === "b",
    focused: true,
    wrong: false,
    flawed: false,
    adjustable: ownerAt(place) !== null,
  };
}

/** The whole image is a poor region, but one that can be drawn. */
function isMisplaced({ problem }: Region): boolean {
  return problem !== "" && problem !== "whole_image";
}

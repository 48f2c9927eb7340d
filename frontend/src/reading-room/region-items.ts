/** Regions as the reader can point at them: of a step, of a missed finding, of the first read. */
import type { MissedFinding, Reading, Region, Side, Step } from "../api/reading";
import type { Box } from "../viewer/geometry";
import { adjustedBox, annotation } from "./changes";
import { openFirstRead } from "./first-read";
import { markOfFinding, numberOf } from "./missed";
import { completionOn, type Place } from "./place";
import { drawnFor, missedFinding, type Owner } from "./regions";
import { colourAfter, colourOf } from "./twins";

/** 0 is a, 25 z, 26 aa, as the server names them. */
export function letterAt(at: number): string {
  const before = Math.floor(at / 26);
  return `${before > 0 ? letterAt(before - 1) : ""}${String.fromCharCode(97 + (at % 26))}`;
}

/** "2" for a step's only region, "2a", "2b" … where it has several. */
export function labelOf(step: Step, region: Region): string {
  if (step.regions.length < 2) return String(step.position);
  return `${step.position}${letterAt(region.position - 1)}`;
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

/** Of one with more regions than anybody could check the text alone is told, which still names them. */
export function pointsNowhere(step: Step): boolean {
  return step.regions.length === 0 && boxesIn(step.text) === "";
}

/** What a reader would write instead; cut alike where every box in it is the model's still. */
export function partsOfWording(step: Step, wording: string): ReturnType<typeof partsOf> {
  const isKept = boxesIn(wording) === boxesIn(step.text);
  return isKept ? partsOf({ ...step, text: wording }) : [{ text: wording, label: null }];
}

/** A step quoted where its regions have no labels. */
export function withoutBoxes(text: string): string {
  return text
    .split(WRITTEN_BOX)
    .map((part, at) => (at % 2 === 1 ? "…" : part))
    .join("");
}

function boxesIn(text: string): string {
  return text
    .split(WRITTEN_BOX)
    .filter((_, at) => at % 2 === 1)
    .join();
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
  const owner: Owner = { kind: "step", uid: step.uid };
  return [...told, ...ownItems(reading, owner, (at) => `${step.position}+${at + 1}`)];
}

function ownItems(reading: Reading, owner: Owner, labelAt: (at: number, of: number) => string): RegionItem[] {
  const drawn = drawnFor(reading, owner);
  return drawn.map((box, at) => ({
    uid: box.uid,
    label: labelAt(at, drawn.length),
    box,
    region: null,
    owner,
  }));
}

/** Everything that regions of one number, colour and dash belong to. */
export interface RegionGroup {
  readonly side: Side;
  readonly owner: Owner;
  readonly colour: number;
  readonly dashed: boolean;
  readonly items: readonly RegionItem[];
}

/** The missed findings of an output go on counting colours where its steps end. */
export function colourOfFinding(reading: Reading, finding: MissedFinding): number {
  const completion = reading.completions.find(({ uid }) => uid === finding.completion) ?? null;
  return colourAfter(completion, numberOf(reading, finding.uid, finding.completion));
}

function groupOfFinding(reading: Reading, finding: MissedFinding, side: Side): RegionGroup {
  const owner: Owner = { kind: "finding", uid: finding.uid };
  const name = markOfFinding(reading, finding);
  const labelAt = (at: number, of: number): string => (of < 2 ? name : `${name}${letterAt(at)}`);
  const colour = colourOfFinding(reading, finding);
  return { side, owner, colour, dashed: side === "b", items: ownItems(reading, owner, labelAt) };
}

function groupOfFirstRead(reading: Reading, place: Place): RegionGroup | null {
  const owner = ownerAt(reading, place);
  if (owner?.kind !== "first-read") return null;
  return {
    side: place.side,
    owner,
    colour: 1,
    dashed: false,
    items: ownItems(reading, owner, (at) => String(at + 1)),
  };
}

/** What can be seen from where the reader is: the side's steps and missed findings, and the first read while it is
 * answered. A vote is between both sides: "A1" and "B1" tell theirs apart. */
export function groupsAt(reading: Reading, place: Place): RegionGroup[] {
  const first = groupOfFirstRead(reading, place);
  const rest =
    place.kind === "vote"
      ? (["a", "b"] as const).flatMap((side) => groupsOn(reading, side).map(withSideNamed))
      : groupsOn(reading, place.side);
  return [...(first === null ? [] : [first]), ...rest];
}

/** A missed finding says it already: "A M1". */
function withSideNamed(group: RegionGroup): RegionGroup {
  if (group.owner.kind === "finding") return group;
  const side = group.side.toUpperCase();
  return { ...group, items: group.items.map((item) => ({ ...item, label: `${side}${item.label}` })) };
}

function groupsOn(reading: Reading, side: Side): RegionGroup[] {
  const completion = completionOn(reading, side);
  const steps = (completion?.steps ?? []).map(
    (step): RegionGroup => ({
      side,
      owner: { kind: "step", uid: step.uid },
      colour: colourOf(reading, step),
      dashed: side === "b",
      items: itemsOf(reading, step),
    }),
  );
  const missed = reading.missed_findings.filter((finding) => finding.completion === completion?.uid);
  const findings = missed.map((finding) => groupOfFinding(reading, finding, side));
  return [...steps, ...findings];
}

/** What a region that is drawn here belongs to; null where none can be. */
export function ownerAt(reading: Reading, place: Place): Owner | null {
  switch (place.kind) {
    case "step":
      return { kind: "step", uid: place.step };
    case "finding":
      return missedFinding(reading, place.finding) ? { kind: "finding", uid: place.finding } : null;
    case "first-read": {
      const when = openFirstRead(reading);
      return when === null ? null : { kind: "first-read", when };
    }
    default:
      return null;
  }
}

/** Whether two regions of a reader's own belong to the same thing. */
export function isSameOwner(one: Owner, other: Owner | null): boolean {
  if (one.kind === "first-read") return other?.kind === "first-read" && other.when === one.when;
  return other?.kind === one.kind && other.uid === one.uid;
}

/** The region that keys move and delete: the chosen one, else the first of what has the focus. */
export function itemInHand(reading: Reading, place: Place, inHand: string | null): RegionItem | null {
  const owner = ownerAt(reading, place);
  const group = owner && groupsAt(reading, place).find((each) => isSameOwner(each.owner, owner));
  if (!group) return null;
  const chosen = place.kind === "step" ? place.region : inHand;
  const found = group.items.find(({ uid }) => uid === chosen);
  return found ?? (place.kind === "step" ? null : (group.items[0] ?? null));
}

/** What on this side a region belongs to. */
export function groupOf(reading: Reading, place: Place, region: string): RegionGroup | null {
  return groupsAt(reading, place).find(({ items }) => items.some(({ uid }) => uid === region)) ?? null;
}

/** Where the reader is who points at a region. */
export function placeOfRegion(reading: Reading, place: Place, region: string): Place | null {
  const group = groupOf(reading, place, region);
  if (group === null) return null;
  const { owner, side } = group;
  if (owner.kind === "finding") return { kind: "finding", side, finding: owner.uid };
  if (owner.kind === "first-read") return place;
  return { kind: "step", side, step: owner.uid, region, question: null };
}

export function focusedStep(reading: Reading, place: Place): Step | null {
  if (place.kind !== "step") return null;
  return completionOn(reading, place.side)?.steps.find((step) => step.uid === place.step) ?? null;
}

export function focusedRegion(reading: Reading, place: Place): Region | null {
  if (place.kind !== "step") return null;
  return focusedStep(reading, place)?.regions.find((region) => region.uid === place.region) ?? null;
}

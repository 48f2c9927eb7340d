/** Which regions are drawn, and how: the same number, colour and dash as what they belong to. */
import type { Feedback, Reading, Region } from "../api/reading";
import type { RegionMark } from "../viewer/film";
import { type Box, isDrawable, nearestVisible } from "../viewer/geometry";
import { adjustedBox, annotation } from "./changes";
import { earlierMarks } from "./earlier-regions";
import type { Place } from "./place";
import {
  type Fresh,
  groupsAt,
  isSameOwner,
  itemInHand,
  ownerAt,
  type RegionGroup,
  type RegionItem,
} from "./region-items";
import type { Owner } from "./regions";
import { COLOUR_OF_FIRST_READ } from "./twins";

export interface Looking {
  readonly place: Place;
  /** The step or missed finding under the pointer. */
  readonly hovered: string | null;
  readonly showsAll: boolean;
  readonly isHidden: boolean;
  readonly drawing: string | null;
  readonly fresh: Fresh | null;
  /** Of the reader's own regions of a finding or the first read, the one that keys move. */
  readonly inHand: string | null;
  /** A region on its way by arrow keys, not yet saved. */
  readonly nudged: { readonly region: string; readonly box: Box } | null;
}

export function marksFor(reading: Reading, looking: Looking): RegionMark[] {
  if (looking.isHidden) return [];
  const { place, hovered } = looking;
  if (place.kind === "vote") return [...earlierMarks(reading, looking), ...toldMarks(reading, place)];
  const here = ownerAt(reading, place);
  const inHand = itemInHand(reading, place, looking.inHand)?.uid ?? null;
  const marks: RegionMark[] = [];
  for (const group of groupsAt(reading, place)) {
    const { owner } = group;
    const isHovered = owner.kind !== "first-read" && owner.uid === hovered;
    if (!looking.showsAll && !isHovered && !isSameOwner(owner, here)) continue;
    for (const item of group.items) {
      marks.push(markOf(reading, looking, group, item, item.uid === inHand));
    }
  }
  const fresh = freshMark(reading, looking);
  return [
    ...knownMarks(reading),
    ...firstReadMarks(reading, looking, here),
    ...earlierMarks(reading, looking),
    ...marks,
    ...(fresh === null ? [] : [fresh]),
  ];
}

/** What the outputs themselves point at, as a vote is on: nothing of what the reader moved, drew or found wrong. */
function toldMarks(reading: Reading, place: Place): RegionMark[] {
  const film = { width: reading.instance.columns, height: reading.instance.rows };
  return groupsAt(reading, place).flatMap(({ colour, dashed, items }) =>
    items.flatMap(({ uid, label, region }) => {
      if (region === null) return [];
      const flawed = isMisplaced(region) || !isDrawable(region, film);
      const box = flawed ? nearestVisible(region, film) : region;
      return [{ uid, label, colour, dashed, box, original: null, flawed, reader: null, ...AS_IT_IS }];
    }),
  );
}

const AS_IT_IS = { focused: false, wrong: false, adjustable: false };

/** No step's and no finding's. */
const COLOUR_OF_KNOWN = 0;

/** With all regions of the outputs: what the reader saw before them, to compare by eye. */
function firstReadMarks(reading: Reading, { showsAll }: Looking, here: Owner | null): RegionMark[] {
  if (!showsAll || reading.stage === "first_read") return [];
  const drawn = reading.drawn_regions.filter(({ first_read }) => {
    return first_read !== null && !isSameOwner({ kind: "first-read", when: first_read }, here);
  });
  return drawn.map((box, at) => ({
    uid: box.uid,
    label: drawn.length > 1 ? `First read ${at + 1}` : "First read",
    box,
    original: null,
    colour: COLOUR_OF_FIRST_READ,
    dashed: false,
    flawed: false,
    reader: null,
    ...AS_IT_IS,
  }));
}

export function boxOfKnown({ known_answer }: Feedback, region: number): Box {
  const [x_min = 0, y_min = 0, x_max = 0, y_max = 0] = known_answer.regions[region]?.box ?? [];
  return { x_min, y_min, x_max, y_max };
}

/** Of a signed practice case: where its findings are, below everything that the reader or a model drew. */
function knownMarks({ feedback }: Reading): RegionMark[] {
  if (feedback === null) return [];
  return feedback.known_answer.regions.map(({ finding }, at) => ({
    uid: `known-${at}`,
    label: `Known: ${finding}`,
    box: boxOfKnown(feedback, at),
    original: null,
    colour: COLOUR_OF_KNOWN,
    reader: null,
    dashed: false,
    focused: false,
    wrong: false,
    flawed: false,
    adjustable: false,
  }));
}

function markOf(
  reading: Reading,
  looking: Looking,
  { colour, dashed }: RegionGroup,
  item: RegionItem,
  focused: boolean,
): RegionMark {
  const { region } = item;
  const film = { width: reading.instance.columns, height: reading.instance.rows };
  const made = region && annotation(reading, region.uid);
  const nudged = looking.nudged?.region === item.uid ? looking.nudged.box : null;
  const box = nudged ?? item.box;
  const isOwn = region === null || nudged !== null || adjustedBox(made) !== null;
  const isDrawing = looking.drawing === item.uid;
  // A drag draws the new one, also where it begins on the old one's grip.
  const isFree = looking.fresh === null;
  const flawed = !isOwn && (isMisplaced(region) || !isDrawable(box, film));
  return {
    uid: item.uid,
    label: item.label,
    colour,
    dashed,
    focused,
    box: flawed ? nearestVisible(box, film) : box,
    original: isOwn && region && isDrawable(region, film) ? region : null,
    wrong: made?.verdict === "wrong" && !isDrawing,
    flawed,
    adjustable: focused && isFree && reading.signed_at === null && (isDrawing || isOwn),
    reader: null,
  };
}

/** A new region on its way by arrow keys. */
function freshMark(reading: Reading, { fresh, nudged, place }: Looking): RegionMark | null {
  if (fresh === null || nudged?.region !== fresh.uid) return null;
  const group = groupsAt(reading, place).find(({ owner }) => isSameOwner(owner, fresh.owner));
  return {
    uid: fresh.uid,
    label: "new",
    box: nudged.box,
    original: null,
    colour: group?.colour ?? 1,
    dashed: group?.dashed ?? false,
    focused: true,
    wrong: false,
    flawed: false,
    adjustable: true,
    reader: null,
  };
}

/** The whole image is a poor region, but one that can be drawn. */
function isMisplaced({ problem }: Region): boolean {
  return problem !== "" && problem !== "whole_image";
}

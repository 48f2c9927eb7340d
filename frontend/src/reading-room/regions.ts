/** The regions that a reader drew: for a step that has too few, for a finding that was missed, on the first read. */
import type { Change, DrawnRegion, MissedFinding, Reading } from "../api/reading";
import type { Box } from "../viewer/geometry";

/** What a region of the reader's own belongs to. */
export type Owner =
  | { readonly kind: "step"; readonly uid: string }
  | { readonly kind: "finding"; readonly uid: string }
  | { readonly kind: "first-read"; readonly when: FirstReadWhen };

export type FirstReadWhen = NonNullable<DrawnRegion["first_read"]>;

type DrawRegion = Extract<Change, { kind: "draw_region" }>;
type AddFinding = Extract<Change, { kind: "add_finding" }>;

export function ownerOf(drawn: Pick<DrawnRegion, "step" | "missed_finding" | "first_read">): Owner | null {
  if (drawn.step !== null) return { kind: "step", uid: drawn.step };
  if (drawn.missed_finding !== null) return { kind: "finding", uid: drawn.missed_finding };
  return drawn.first_read === null ? null : { kind: "first-read", when: drawn.first_read };
}

function isOf(drawn: DrawnRegion, owner: Owner): boolean {
  switch (owner.kind) {
    case "step":
      return drawn.step === owner.uid;
    case "finding":
      return drawn.missed_finding === owner.uid;
    case "first-read":
      return drawn.first_read === owner.when;
  }
}

/** In the order in which they were drawn. */
export function drawnFor(reading: Reading, owner: Owner): DrawnRegion[] {
  return reading.drawn_regions.filter((drawn) => isOf(drawn, owner));
}

export function drawnRegion(reading: Reading, uid: string): DrawnRegion | null {
  return reading.drawn_regions.find((drawn) => drawn.uid === uid) ?? null;
}

/** Draws, moves (the same uid again) or deletes (no box) a region of the reader's own. */
export function drawRegion(uid: string, owner: Owner, box: Box | null): DrawRegion {
  return {
    kind: "draw_region",
    payload: {
      uid,
      step: owner.kind === "step" ? owner.uid : null,
      missed_finding: owner.kind === "finding" ? owner.uid : null,
      first_read: owner.kind === "first-read" ? owner.when : null,
      box: box ? [box.x_min, box.y_min, box.x_max, box.y_max] : null,
    },
  };
}

export function withRegionDrawn(reading: Reading, { payload }: DrawRegion): Reading {
  const { box, ...of } = payload;
  const [x_min, y_min, x_max, y_max] = box ?? [];
  if (x_min === undefined || y_min === undefined || x_max === undefined || y_max === undefined) {
    const left = reading.drawn_regions.filter((drawn) => drawn.uid !== payload.uid);
    return { ...reading, drawn_regions: left };
  }
  const made: DrawnRegion = { ...of, x_min, y_min, x_max, y_max };
  const isKnown = reading.drawn_regions.some((drawn) => drawn.uid === made.uid);
  const drawn_regions = isKnown
    ? reading.drawn_regions.map((drawn) => (drawn.uid === made.uid ? made : drawn))
    : [...reading.drawn_regions, made];
  return { ...reading, drawn_regions };
}

/** Names, rewords or takes back (no text) a finding that a completion missed. */
export function addFinding(uid: string, completion: string, text: string | null): AddFinding {
  return { kind: "add_finding", payload: { uid, completion, text } };
}

export function missedFinding(reading: Reading, uid: string): MissedFinding | null {
  return reading.missed_findings.find((finding) => finding.uid === uid) ?? null;
}

/** A finding that is taken back takes its regions along, as on the server. */
export function withFindingAdded(reading: Reading, { payload }: AddFinding): Reading {
  const { uid, completion, text } = payload;
  if (text === null) {
    return {
      ...reading,
      missed_findings: reading.missed_findings.filter((finding) => finding.uid !== uid),
      drawn_regions: reading.drawn_regions.filter((drawn) => drawn.missed_finding !== uid),
    };
  }
  const made: MissedFinding = { uid, completion, text };
  const isKnown = missedFinding(reading, uid) !== null;
  const missed_findings = isKnown
    ? reading.missed_findings.map((finding) => (finding.uid === uid ? made : finding))
    : [...reading.missed_findings, made];
  return { ...reading, missed_findings };
}

/** What brings back what `reading` says now of a drawn region: where it was, or that there was none. */
export function drawnBefore(reading: Reading, { payload }: DrawRegion): Change[] {
  const before = drawnRegion(reading, payload.uid);
  return [{ kind: "draw_region", payload: { ...payload, box: before === null ? null : edges(before) } }];
}

/** The same of a missed finding, with every region that would go with it. */
export function findingBefore(reading: Reading, { payload }: AddFinding): Change[] {
  const { uid, completion } = payload;
  const before = missedFinding(reading, uid);
  const owner: Owner = { kind: "finding", uid };
  const regions = payload.text === null ? drawnFor(reading, owner) : [];
  return [
    addFinding(uid, completion, before?.text ?? null),
    ...regions.map((drawn) => drawRegion(drawn.uid, owner, drawn)),
  ];
}

const edges = ({ x_min, y_min, x_max, y_max }: Box): number[] => [x_min, y_min, x_max, y_max];

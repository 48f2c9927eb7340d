/** How long a line on a film is: in millimetres where the film says how far apart its pixels lie, else in pixels. */
import type { DataSet } from "dicom-parser";
import type { Point, Size } from "./geometry";

/** From one film pixel to another. */
export interface Line {
  readonly from: Point;
  readonly to: Point;
}

/** Millimetres between the centres of neighbouring rows and columns. */
export interface RulerSpacing {
  readonly row: number;
  readonly column: number;
  /** Measured where the picture was taken: the body in front of it is smaller than its shadow. */
  readonly isAtDetector: boolean;
}

const PIXEL_SPACING = "x00280030";
const IMAGER_PIXEL_SPACING = "x00181164";
const NOMINAL_SCANNED_PIXEL_SPACING = "x00182010";
const CALIBRATION_TYPE = "x00280a02";

/** As DICOM PS3.3 10.7.1.3 orders it: calibrated to the patient only where the film says more than its detector. */
export function rulerSpacing(film: Pick<DataSet, "string">): RulerSpacing | null {
  const calibrated = film.string(PIXEL_SPACING);
  const imager = film.string(IMAGER_PIXEL_SPACING) ?? film.string(NOMINAL_SCANNED_PIXEL_SPACING);
  const isAtDetector = calibrated === undefined || (calibrated === imager && !film.string(CALIBRATION_TYPE));
  const [row, column] = (calibrated ?? imager ?? "").split("\\").map(Number);
  if (!isLength(row) || !isLength(column)) return null;
  return { row, column, isAtDetector };
}

const isLength = (value: number | undefined): value is number => Number.isFinite(value) && Number(value) > 0;

export type RulerEnd = keyof Line;

export interface Measured {
  readonly length: number;
  readonly unit: "mm" | "px";
}

/** Rows and columns may be spaced differently, so the two directions are scaled each by its own. */
export function lengthOf({ from, to }: Line, spacing: RulerSpacing | null): Measured {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  if (spacing === null) return { length: Math.hypot(dx, dy), unit: "px" };
  return { length: Math.hypot(dx * spacing.column, dy * spacing.row), unit: "mm" };
}

/** "42.3 mm", "42.3 mm at the detector", "312 px". */
export function lengthLabel(line: Line, spacing: RulerSpacing | null): string {
  const { length, unit } = lengthOf(line, spacing);
  if (unit === "px") return `${Math.round(length)} px`;
  return `${length.toFixed(1)} mm${spacing?.isAtDetector ? " at the detector" : ""}`;
}

const clamp = (value: number, high: number): number => Math.min(Math.max(value, 0), high);

export function onFilm(point: Point, film: Size): Point {
  return { x: clamp(point.x, film.width), y: clamp(point.y, film.height) };
}

/** The line after one of its ends was moved; it stays on the film. */
export function withEndMoved(line: Line, end: RulerEnd, delta: Point, film: Size): Line {
  const { x, y } = line[end];
  return { ...line, [end]: onFilm({ x: x + delta.x, y: y + delta.y }, film) };
}

/** More could not be told apart on a film. */
export const MOST_LINES = 12;

/** The oldest gives way where there are too many. */
export function withLine(lines: readonly Line[], line: Line, at: number | null): readonly Line[] {
  if (at !== null && at < lines.length) return lines.map((old, place) => (place === at ? line : old));
  return [...lines, line].slice(-MOST_LINES);
}

/** What stands beside each line: its length, where there are several its number, and beside the last its ratio. */
export function lineLabels(lines: readonly Line[], spacing: RulerSpacing | null): string[] {
  if (lines.length < 2) return lines.map((line) => lengthLabel(line, spacing));
  return lines.map((line, at) => {
    const ratio = at === lines.length - 1 ? ratioLabel(lines, spacing) : null;
    return [`${at + 1}: ${lengthLabel(line, spacing)}`, ...(ratio === null ? [] : [ratio])].join(" · ");
  });
}

/** "Length of the line: 42.3 mm."; null where there is none. */
export function inWords(labels: readonly string[]): string | null {
  const [only] = labels;
  if (only === undefined) return null;
  return labels.length === 1 ? `Length of the line: ${only}.` : `Lines ${labels.join(", ")}.`;
}

/**
 * "1 ÷ 2 = 0.48": of the last two lines the shorter to the longer. Of the widths of the heart and of the thorax that
 * is the cardiothoracic ratio, and how far the body was from the detector does not matter to it.
 */
function ratioLabel(lines: readonly Line[], spacing: RulerSpacing | null): string | null {
  const [one, other] = lines
    .map((line, at) => ({ number: at + 1, length: lengthOf(line, spacing).length }))
    .slice(-2)
    .sort((a, b) => a.length - b.length);
  if (one === undefined || other === undefined || other.length === 0) return null;
  return `${one.number} ÷ ${other.number} = ${(one.length / other.length).toFixed(2)}`;
}

/** A line to start from by keys: a fifth of the film, across its middle; a further one a little lower. */
export function startingLine(film: Size, numLines = 0): Line {
  const y = Math.round(film.height * Math.min(0.5 + 0.05 * numLines, 0.95));
  return {
    from: { x: Math.round(film.width * 0.4), y },
    to: { x: Math.round(film.width * 0.6), y },
  };
}

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

/** A line to start from by keys: a fifth of the film, across its middle. */
export function startingLine(film: Size): Line {
  const y = Math.round(film.height / 2);
  return {
    from: { x: Math.round(film.width * 0.4), y },
    to: { x: Math.round(film.width * 0.6), y },
  };
}

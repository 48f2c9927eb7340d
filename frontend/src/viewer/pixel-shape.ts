/** What shape a film's pixels have on the screen. */
import type { DataSet } from "dicom-parser";

/** Of a pixel, in whatever unit: from one row to the next, and from one column to the next. */
export interface PixelShape {
  readonly row: number;
  readonly column: number;
}

const PIXEL_SPACING = "x00280030";
const IMAGER_PIXEL_SPACING = "x00181164";
const NOMINAL_SCANNED_PIXEL_SPACING = "x00182010";
const PIXEL_ASPECT_RATIO = "x00280034";

/** Spacings that differ by less than this share are a square's, measured: drawn apart they would only blur. */
const SQUARE_TOLERANCE = 0.005;
const SQUARE: PixelShape = { row: 1, column: 1 };

/** By its spacing, else by its aspect ratio (PS3.3 C.7.6.3.1.7); square where nothing is known. */
export function pixelShape(film: Pick<DataSet, "string">): PixelShape {
  const shape =
    pair(film, PIXEL_SPACING) ??
    pair(film, IMAGER_PIXEL_SPACING) ??
    pair(film, NOMINAL_SCANNED_PIXEL_SPACING) ??
    pair(film, PIXEL_ASPECT_RATIO) ??
    SQUARE;
  return Math.abs(shape.row / shape.column - 1) < SQUARE_TOLERANCE ? SQUARE : shape;
}

function pair(film: Pick<DataSet, "string">, tag: string): PixelShape | null {
  const [row, column] = (film.string(tag) ?? "").split("\\").map(Number);
  if (row === undefined || column === undefined) return null;
  return row > 0 && column > 0 && Number.isFinite(row) && Number.isFinite(column) ? { row, column } : null;
}

/** Reads from a film's header how its values are to be shown. */
import type { DataSet } from "dicom-parser";
import { lookupTables } from "./lookup-table";
import type { ValueRules } from "./values";
import { type Curve, type Look, tableLook } from "./window";

const CURVES: Readonly<Record<string, Curve>> = {
  LINEAR: "linear",
  LINEAR_EXACT: "linear_exact",
  SIGMOID: "sigmoid",
};

/** The rules from a parsed film: PS3.3 C.7.6.3, C.7.5.1.1.2, C.11.1 and C.11.2. */
export function valueRules(film: DataSet): ValueRules {
  const isSigned = film.uint16("x00280103") === 1;
  const pixel = (tag: string): number | undefined => (isSigned ? film.int16(tag) : film.uint16(tag));
  const first = pixel("x00280120");
  const limit = pixel("x00280121") ?? first;
  return {
    bitsStored: film.uint16("x00280101") ?? 16,
    isSigned,
    modality: lookupTables(film, "x00283000")[0]?.table ?? rescale(film),
    looks: [...windowLooks(film), ...tableLooks(film)],
    padding:
      first === undefined || limit === undefined
        ? null
        : { low: Math.min(first, limit), high: Math.max(first, limit) },
    brighterIsHigher: film.string("x00280004") !== "MONOCHROME1",
  };
}

function rescale(film: DataSet): { slope: number; intercept: number } {
  const slope = film.floatString("x00281053");
  const intercept = film.floatString("x00281052");
  const isUsable = Number.isFinite(slope) && slope !== 0;
  return { slope: isUsable ? (slope ?? 1) : 1, intercept: Number.isFinite(intercept) ? (intercept ?? 0) : 0 };
}

function windowLooks(film: DataSet): Look[] {
  const centers = numbers(film, "x00281050");
  const widths = numbers(film, "x00281051");
  const names = strings(film, "x00281055");
  const curve = CURVES[film.string("x00281056") ?? ""] ?? "linear";
  return centers.flatMap((center, index) => {
    const width = widths[index];
    if (width === undefined || !Number.isFinite(center) || !Number.isFinite(width) || width <= 0) return [];
    return [{ name: names[index] || `Window ${index + 1}`, curve, table: null, window: { center, width } }];
  });
}

function tableLooks(film: DataSet): Look[] {
  return lookupTables(film, "x00283010").map(({ table, explanation }, index) =>
    tableLook(explanation || `Table ${index + 1}`, table),
  );
}

function strings(film: DataSet, tag: string): string[] {
  return film.elements[tag] === undefined ? [] : (film.string(tag) ?? "").split("\\").map((s) => s.trim());
}

function numbers(film: DataSet, tag: string): number[] {
  return strings(film, tag).map((text) => (text === "" ? Number.NaN : Number(text)));
}

/**
 * Makes a film's values ready for the screen where Cornerstone3D leaves a step of DICOM PS3.4 N.2 out:
 * padding is black on every film, and a VOI table is applied where the film names no window.
 * The same order as the server's reference picture: first window, else VOI table, else the whole range.
 */
import type { DataSet } from "dicom-parser";
import { type Window, windowOf } from "./window";

export interface LookupTable {
  readonly firstMapped: number;
  readonly entries: readonly number[];
  readonly maximum: number;
}

/** What the film's header says about its values; padding in stored values, before the modality transform. */
export interface ValueRules {
  readonly window: Window | null;
  /** PS3.3 C.11.2.1.3: the window's shades follow an S, not a straight line. */
  readonly isSigmoid: boolean;
  readonly table: LookupTable | null;
  readonly padding: { readonly low: number; readonly high: number } | null;
  readonly slope: number;
  readonly intercept: number;
  readonly brighterIsHigher: boolean;
}

export interface PreparedValues {
  readonly initial: Window;
  readonly lowest: number;
  readonly highest: number;
}

type Values = { [index: number]: number; readonly length: number; readonly BYTES_PER_ELEMENT: number };

/** Changes `values`, already through the modality transform, in place: call it once for an image. */
export function prepareValues(values: Values, rules: ValueRules): PreparedValues {
  const isPadding = paddingTest(rules);
  let { lowest, highest } = extent(values, isPadding);
  const { table } = rules;
  const painted = table !== null && rules.window === null;
  let lookUp = (value: number): number => value;
  if (painted) {
    // A table may put out more bits than the array holds: the screen needs shares of white, not values.
    const share = Math.min(1, (values.BYTES_PER_ELEMENT === 1 ? 127 : 32767) / table.maximum);
    const last = table.entries.length - 1;
    lookUp = (value) => {
      const index = Math.min(Math.max(Math.round(value - table.firstMapped), 0), last);
      return (table.entries[index] ?? 0) * share;
    };
    lowest = 0;
    highest = table.maximum * share;
  }
  const black = rules.brighterIsHigher ? lowest : highest;
  if (painted || isPadding !== null) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      values[i] = isPadding?.(value) ? black : lookUp(value);
    }
  }
  const wholeRange = windowOf({ lower: lowest, upper: Math.max(highest, lowest + 1) });
  return { initial: rules.window ?? wholeRange, lowest, highest };
}

function paddingTest({ padding, slope, intercept }: ValueRules): ((value: number) => boolean) | null {
  if (padding === null) return null;
  const ends = [padding.low * slope + intercept, padding.high * slope + intercept];
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  return (value) => value >= low && value <= high;
}

function extent(values: Values, isPadding: ((value: number) => boolean) | null) {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (isPadding?.(value)) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return lowest > highest ? { lowest: 0, highest: 1 } : { lowest, highest };
}

/** The rules from a parsed film: PS3.3 C.7.6.3, C.7.5.1.1.2, C.11.1 and C.11.2. */
export function valueRules(film: DataSet): ValueRules {
  const isSigned = film.uint16("x00280103") === 1;
  const pixel = (tag: string): number | undefined => (isSigned ? film.int16(tag) : film.uint16(tag));
  const first = pixel("x00280120");
  const limit = pixel("x00280121") ?? first;
  const window = firstWindow(film);
  return {
    window,
    isSigmoid: window !== null && film.string("x00281056") === "SIGMOID",
    table: lookupTable(film, isSigned),
    padding:
      first === undefined || limit === undefined
        ? null
        : { low: Math.min(first, limit), high: Math.max(first, limit) },
    slope: film.floatString("x00281053") ?? 1,
    intercept: film.floatString("x00281052") ?? 0,
    brighterIsHigher: film.string("x00280004") !== "MONOCHROME1",
  };
}

function firstWindow(film: DataSet): Window | null {
  const center = film.floatString("x00281050");
  const width = film.floatString("x00281051");
  if (center === undefined || width === undefined) return null;
  if (!Number.isFinite(center) || !Number.isFinite(width) || width <= 0) return null;
  if (film.string("x00281056") !== "LINEAR_EXACT") return { center, width };
  return windowOf({ lower: center - width / 2, upper: center + width / 2 });
}

function lookupTable(film: DataSet, isSigned: boolean): LookupTable | null {
  const item = film.elements.x00283010?.items?.[0]?.dataSet;
  const bits = item?.uint16("x00283002", 2);
  const stored = item?.uint16("x00283002", 0);
  const data = item?.elements.x00283006;
  if (item === undefined || bits === undefined || stored === undefined || data === undefined) return null;
  const firstMapped = (isSigned ? item.int16("x00283002", 1) : item.uint16("x00283002", 1)) ?? 0;
  const num = stored === 0 ? 65536 : stored;
  const isBytes = data.length < num * 2;
  const entries = Array.from({ length: num }, (_, i) =>
    isBytes ? (item.byteArray[data.dataOffset + i] ?? 0) : (item.uint16("x00283006", i) ?? 0),
  );
  return { firstMapped, entries, maximum: 2 ** bits - 1 };
}

/** Which values the exposed part of a film has: without padding, collimated borders, the air beside the body and
 * letters burnt in. */
import type { Size } from "./geometry";
import type { LookupTable } from "./lookup-table";
import { lookedUp, type StoredValues, transformedValue, type ValueRules } from "./values";
import type { Exposed } from "./window";

/** Rows and columns of the sample: more change no percentile that a window is made of. */
const MOST_LINES = 100;
/** A line with less contrast than this share of the film's, or no brighter, shows no body. */
const FLAT = 0.04;
const BLACK = 0.06;
/** The body fills an ellipse of what is not cut away; letters stand in its corners and air beside its flanks. */
const ACROSS = 0.42;
const DOWN = 0.46;

type Line = readonly number[];

/** Ascending, after the modality transform. */
export function exposedValues(stored: StoredValues, size: Size, rules: ValueRules): Float64Array {
  // Brightness: the same on both polarities.
  const sign = rules.brighterIsHigher ? 1 : -1;
  const lines = sampled(stored, size, (bits) => {
    const value = transformedValue(bits, rules);
    return value === null ? Number.NaN : value * sign;
  });
  const all = known(lines.flat());
  const body = known(inEllipse(cutToField(lines, all)));
  const found = body.length > 0 ? body : all;
  return found.map((value) => value * sign).sort();
}

/** As a look sees them: where it has a table, in what that puts out. */
export function exposedIn(
  values: Float64Array,
  table: LookupTable | null,
  brighterIsHigher: boolean,
): Exposed {
  const seen = table === null ? values : values.map((value) => lookedUp(value, table)).sort();
  return { at: (share) => quantile(seen, brighterIsHigher ? share : 1 - share) };
}

function sampled(
  stored: StoredValues,
  { width, height }: Size,
  brightnessOf: (bits: number) => number,
): Line[] {
  const by = Math.max(1, Math.ceil(Math.max(width, height) / MOST_LINES));
  const first = Math.floor(by / 2);
  const lines: number[][] = [];
  for (let row = first; row < height; row += by) {
    const line: number[] = [];
    for (let column = first; column < width; column += by) {
      line.push(brightnessOf(stored[row * width + column] as number));
    }
    lines.push(line);
  }
  return lines;
}

/** Ascending, without what is padding. */
function known(values: Line): Float64Array {
  return Float64Array.from(values.filter((value) => !Number.isNaN(value))).sort();
}

function cutToField(lines: readonly Line[], all: Float64Array): readonly Line[] {
  // Percentiles: a bright letter is no contrast of the film's.
  const [darkest, brightest] = [quantile(all, 0.01), quantile(all, 0.99)];
  const contrast = brightest - darkest;
  const isFlat = (line: Line): boolean => {
    const values = known(line);
    if (values.length === 0) return true;
    const [low, high] = [quantile(values, 0.1), quantile(values, 0.9)];
    return high - low <= contrast * FLAT || high <= darkest + contrast * BLACK;
  };
  return turned(withoutEnds(turned(withoutEnds(lines, isFlat)), isFlat));
}

function withoutEnds(lines: readonly Line[], isFlat: (line: Line) => boolean): readonly Line[] {
  const first = lines.findIndex((line) => !isFlat(line));
  if (first < 0) return lines;
  const numFlatAtEnd = [...lines].reverse().findIndex((line) => !isFlat(line));
  return lines.slice(first, lines.length - numFlatAtEnd);
}

function turned(lines: readonly Line[]): Line[] {
  return (lines[0] ?? []).map((_, column) => lines.map((line) => line[column] as number));
}

function inEllipse(lines: readonly Line[]): Line {
  const [rows, columns] = [lines.length, lines[0]?.length ?? 0];
  return lines.flatMap((line, row) => {
    const down = (row - (rows - 1) / 2) / (rows * DOWN);
    return line.filter((_, column) => {
      const across = (column - (columns - 1) / 2) / (columns * ACROSS);
      return across * across + down * down <= 1;
    });
  });
}

/** Of ascending values. */
function quantile(values: Float64Array, share: number): number {
  const at = Math.min(Math.max(share, 0), 1) * (values.length - 1);
  const below = values[Math.floor(at)] ?? 0;
  const above = values[Math.ceil(at)] ?? 0;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * How a film's stored values become grey, as DICOM PS3.4 N.2 orders it: modality transform, window or VOI
 * table, polarity; padding is black. One table of greys holds it all, by the same arithmetic as the server's
 * reference picture (inference/images.py), so that screen and model see the same film.
 */
import type { LookupTable } from "./lookup-table";
import { type Look, type Range, rangeLook, shareOfWhite, type Window } from "./window";

/** What the film's header says about its values. */
export interface ValueRules {
  readonly bitsStored: number;
  readonly isSigned: boolean;
  /** PS3.3 C.11.1: a table where the film has one, else a straight line. */
  readonly modality: LookupTable | { readonly slope: number; readonly intercept: number };
  /** The windows and VOI tables that the film names, windows first. */
  readonly looks: readonly Look[];
  /** In stored values, before the modality transform. */
  readonly padding: { readonly low: number; readonly high: number } | null;
  readonly brighterIsHigher: boolean;
}

/** How the reader looks through a film at this moment. */
export interface Shade {
  readonly look: Look;
  readonly window: Window;
  readonly inverted: boolean;
}

export type StoredValues = { readonly [index: number]: number; readonly length: number };

/** The film's looks, and the values after the modality transform that occur in it outside the padding. */
export interface FilmSurvey {
  readonly looks: readonly [Look, ...Look[]];
  readonly range: Range;
}

export function surveyFilm(stored: StoredValues, rules: ValueRules): FilmSurvey {
  const mask = 2 ** rules.bitsStored - 1;
  const occurs = new Uint8Array(mask + 1);
  for (let i = 0; i < stored.length; i++) occurs[(stored[i] as number) & mask] = 1;
  let lower = Number.POSITIVE_INFINITY;
  let upper = Number.NEGATIVE_INFINITY;
  for (let bits = 0; bits <= mask; bits++) {
    if (occurs[bits] === 0) continue;
    const transformed = transformedValue(bits, rules);
    if (transformed === null) continue;
    lower = Math.min(lower, transformed);
    upper = Math.max(upper, transformed);
  }
  const range = lower > upper ? { lower: 0, upper: 1 } : { lower, upper };
  const [first, ...others] = [...rules.looks, rangeLook(range)];
  return { looks: [first as Look, ...others], range };
}

/** One grey for each pattern of stored bits. Padding is black, whatever the polarity and the reader's choice. */
export function greysOf(rules: ValueRules, { look, window, inverted }: Shade): Uint8Array {
  const turned = rules.brighterIsHigher === inverted;
  const greys = new Uint8Array(2 ** rules.bitsStored);
  for (let bits = 0; bits < greys.length; bits++) {
    const transformed = transformedValue(bits, rules);
    if (transformed === null) continue;
    const seen = look.table === null ? transformed : lookedUp(transformed, look.table);
    const share = shareOfWhite(seen, window, look.curve);
    greys[bits] = Math.floor((turned ? 1 - share : share) * 255 + 0.5);
  }
  return greys;
}

/** Draws the film into `picture`, one grey for each pixel. */
export function paint(stored: StoredValues, greys: Uint8Array, picture: Uint8Array): void {
  const mask = greys.length - 1;
  for (let i = 0; i < picture.length; i++) {
    picture[i] = greys[(stored[i] as number) & mask] as number;
  }
}

/** After the modality transform; null for padding. `bits`: as the decoder gives them, with whatever sign. */
export function transformedValue(bits: number, rules: ValueRules): number | null {
  const value = storedValue(bits & (2 ** rules.bitsStored - 1), rules);
  return isPadding(value, rules) ? null : modalityOf(value, rules);
}

function storedValue(bits: number, { bitsStored, isSigned }: ValueRules): number {
  return isSigned && bits >= 2 ** (bitsStored - 1) ? bits - 2 ** bitsStored : bits;
}

function isPadding(value: number, { padding }: ValueRules): boolean {
  return padding !== null && value >= padding.low && value <= padding.high;
}

function modalityOf(value: number, { modality }: ValueRules): number {
  return "entries" in modality ? lookedUp(value, modality) : value * modality.slope + modality.intercept;
}

/** PS3.3 C.11.1.1.1: below the first mapped value its entry holds, past the last the last. */
export function lookedUp(value: number, { firstMapped, entries }: LookupTable): number {
  const index = Math.floor(value + 0.5) - firstMapped;
  return entries[Math.min(Math.max(index, 0), entries.length - 1)] ?? 0;
}

/** Window width and centre, the looks that a film names and those that a reader may choose: pure functions. */
import type { LookupTable } from "./lookup-table";

/** How bright a share of the exposed film is at most, in the units of one look. */
export interface Exposed {
  /** `share`: 0 for the darkest value, 1 for the brightest, on either polarity. */
  at(share: number): number;
}

export interface Window {
  readonly center: number;
  readonly width: number;
}

export interface Range {
  readonly lower: number;
  readonly upper: number;
}

/** The function of PS3.3 C.11.2.1.2 and C.11.2.1.3 by which a window becomes shades. */
export type Curve = "linear" | "linear_exact" | "sigmoid";

/**
 * One way to look at a film. The window is in values after the modality transform, or, where there is a
 * table, in what the table puts out: the reader's window then works on the table's picture.
 */
export interface Look {
  readonly name: string;
  readonly curve: Curve;
  readonly table: LookupTable | null;
  readonly window: Window;
}

/** The narrowest window: DICOM asks for a width of at least 1. */
const MIN_WIDTH = 1;

export function rangeOf(window: Window): Range {
  const half = (window.width - 1) / 2;
  return { lower: window.center - 0.5 - half, upper: window.center - 0.5 + half };
}

export function windowOf(range: Range): Window {
  return { center: (range.lower + range.upper) / 2 + 0.5, width: range.upper - range.lower + 1 };
}

export function rangeLook(range: Range): Look {
  return { name: FULL_RANGE, curve: "linear", table: null, window: windowOf(range) };
}

export function tableLook(name: string, table: LookupTable): Look {
  return { name, curve: "linear", table, window: windowOf({ lower: 0, upper: table.maximum }) };
}

/** Which of a film's looks: enough to find it again, and for whoever reads the data later to know it. */
export interface LookMark {
  /** Among the film's windows, then its tables, then its whole range. */
  readonly index: number;
  readonly name: string;
  readonly curve: Curve | "table";
}

/** How a reader sees a film. Without a look it is the film's first. */
export interface Seen {
  readonly window: Window;
  /** Relative to how DICOM says the film should look: MONOCHROME1 alone is not "inverted". */
  readonly inverted: boolean;
  readonly look: LookMark | null;
}

/** Windows move in steps that nobody sees. */
const UNSEEN_STEP = 0.05;

export function isNearWindow(one: Window, other: Window): boolean {
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) < UNSEEN_STEP;
  return isNear(one.center, other.center) && isNear(one.width, other.width);
}

export function isSeenAlike(one: Seen, other: Seen): boolean {
  const isSameLook = (one.look?.index ?? 0) === (other.look?.index ?? 0);
  return isSameLook && one.inverted === other.inverted && isNearWindow(one.window, other.window);
}

export function markOf(looks: readonly Look[], look: Look): LookMark {
  const curve = look.table === null ? look.curve : "table";
  return { index: looks.indexOf(look), name: look.name, curve };
}

/** The look that was kept; without a mark the first. Null where the film has no such look. */
export function markedLook(looks: readonly Look[], mark: LookMark | null): Look | null {
  const look = looks[mark?.index ?? 0];
  if (look === undefined || mark === null) return look ?? null;
  const { name, curve } = markOf(looks, look);
  return name === mark.name && curve === mark.curve ? look : null;
}

/** 0 black to 1 white; PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2. */
export function shareOfWhite(value: number, { center, width }: Window, curve: Curve): number {
  if (curve === "sigmoid") return 1 / (1 + Math.exp((-4 * (value - center)) / width));
  const [middle, length] =
    curve === "linear_exact" ? [center, width] : [center - 0.5, Math.max(width, MIN_WIDTH) - 1];
  if (value <= middle - length / 2) return 0;
  if (value > middle + length / 2) return 1;
  return (value - middle) / length + 0.5;
}

/** Dragging right widens the window, dragging down raises its centre; one full screen is the film's whole range. */
export function windowAfterDrag(
  start: Window,
  drag: { x: number; y: number },
  screen: { width: number; height: number },
  span: number,
): Window {
  const width = Math.max(MIN_WIDTH, start.width + (drag.x / screen.width) * span * 2);
  return { center: start.center + (drag.y / screen.height) * span * 2, width };
}

/** A film as the pointer knows it: the window and the range of its present look; `brighterIsHigher` is false for
 * MONOCHROME1. */
export interface FilmValues {
  readonly initial: Window;
  readonly range: Range;
  readonly brighterIsHigher: boolean;
}

/** A choice of the reader: one of the film's looks, or a window over shares of what is exposed of the film. */
export type Preset =
  | { readonly name: string; readonly look: number }
  | { readonly name: string; readonly from: number; readonly to: number; readonly margin?: number };

/**
 * By the film's own values: the units of two makers' films have nothing in common, and many films use a small part
 * of what can be stored. `from` is black and `to` white, as shares of the exposed film from its darkest value to its
 * brightest; `margin` widens that, as a share of its width.
 */
const BY_FILM: readonly Preset[] = [
  { name: "Auto", from: 0.02, to: 0.998 },
  { name: "Lung", from: 0.01, to: 0.8 },
  { name: "Mediastinum", from: 0.2, to: 0.999 },
  { name: "Soft", from: 0.02, to: 0.998, margin: 0.15 },
  { name: "Hard", from: 0.08, to: 0.95 },
];

/** The S-curve never ends: its shoulders lie outside the range that it is made for. */
const SIGMOID_SHARE = 0.7;

/** Over what a preset leaves between black and white, on either polarity. */
export function windowOver(
  exposed: Exposed,
  preset: Extract<Preset, { from: number }>,
  curve: Curve,
): Window {
  const ends = [exposed.at(preset.from), exposed.at(preset.to)];
  const margin = (preset.margin ?? 0) * Math.abs((ends[1] as number) - (ends[0] as number));
  const [lower, upper] = [Math.min(...ends) - margin, Math.max(...ends) + margin];
  if (curve === "linear") return windowOf({ lower, upper });
  const width = (upper - lower) * (curve === "sigmoid" ? SIGMOID_SHARE : 1);
  return { center: (lower + upper) / 2, width: Math.max(width, Number.MIN_VALUE) };
}

const FULL_RANGE = "Full range";
const AS_STORED = "As stored";

/** The film's own looks by the names that it gives them, then those by its values, then its whole range; of a film
 * that names no look the whole range is the first. */
export function presetsOf(looks: readonly Look[]): readonly Preset[] {
  const last = looks.length - 1;
  const whole = { name: FULL_RANGE, look: last };
  if (last === 0) return [whole, ...BY_FILM];
  if (last === 1) return [{ name: AS_STORED, look: 0 }, ...BY_FILM, whole];
  const names = looks.slice(0, last).map(({ name }) => name);
  const stored = names.map((name, look) => {
    // A window and a table may both be called NORMAL.
    const isFirst = names.indexOf(name) === look;
    return { name: `${AS_STORED}: ${isFirst ? name : `${name} (${look + 1})`}`, look };
  });
  return [...stored, ...BY_FILM, whole];
}

/** What a preset does, for whoever wonders about its name. */
export function aboutPreset(name: string): string {
  if (name === FULL_RANGE) {
    return "From the lowest value that occurs on this film to the highest. Nothing is cut off.";
  }
  if (name.startsWith(AS_STORED)) return "The window or table that is stored in the film's file.";
  return "A window by this film's own values; the film's curve stays.";
}

/**
 * What a tool bar says of the reader's window, such as `W 900 L 1500` or `S-curve W 1500 L 2000`; with the name of
 * the look where it is not the film's first.
 */
export function seenLabel(window: Window, look: Look, isFirst: boolean): string {
  const label = windowLabel(window, look);
  return isFirst || look.table !== null ? label : `${look.name}: ${label}`;
}

function windowLabel(window: Window, look: Look): string {
  const short = (value: number): string =>
    look.window.width < 20 ? String(Number(value.toPrecision(3))) : String(Math.round(value));
  const numbers = `W ${short(window.width)} L ${short(window.center)}`;
  if (look.table !== null) {
    const isUntouched = window.center === look.window.center && window.width === look.window.width;
    return isUntouched ? look.name : `${look.name}, then ${numbers}`;
  }
  return look.curve === "sigmoid" ? `S-curve ${numbers}` : numbers;
}

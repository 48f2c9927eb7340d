/** Window width and centre, as DICOM PS3.3 C.11.2.1.2 means them: pure functions without a viewer. */

export interface Window {
  readonly center: number;
  readonly width: number;
}

export interface Range {
  readonly lower: number;
  readonly upper: number;
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

/** A film as the presets know it; `brighterIsHigher` is false for MONOCHROME1. */
export interface FilmValues {
  readonly initial: Window;
  readonly range: Range;
  readonly brighterIsHigher: boolean;
}

export interface Preset {
  readonly name: string;
  readonly windowFor: (film: FilmValues) => Window;
}

function narrowed({ initial, brighterIsHigher }: FilmValues, towardsBright: number): Window {
  const shift = initial.width * towardsBright * (brighterIsHigher ? 1 : -1);
  return { center: initial.center + shift, width: initial.width * 0.6 };
}

/** Relative to the film's own window: the units of two makers' films have nothing in common. */
export const PRESETS: readonly Preset[] = [
  { name: "As stored", windowFor: ({ initial }) => initial },
  { name: "Soft", windowFor: ({ initial }) => ({ center: initial.center, width: initial.width * 1.5 }) },
  { name: "Hard", windowFor: (film) => narrowed(film, 0) },
  { name: "Lung", windowFor: (film) => narrowed(film, -0.2) },
  { name: "Mediastinum", windowFor: (film) => narrowed(film, 0.2) },
  { name: "Full range", windowFor: ({ range }) => windowOf(range) },
];

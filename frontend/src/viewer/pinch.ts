/** Two fingers on a film: what lies between them stays between them. */
import type { Point } from "./geometry";

export interface Pinch {
  readonly factor: number;
  /** Where the fingers' middle is now. */
  readonly about: Point;
  /** How far it has moved. */
  readonly shift: Point;
}

/** Nearer than this two fingers are one, and their distance means nothing. Screen pixels. */
const LEAST_PX = 8;

export function pinchBetween(before: readonly [Point, Point], now: readonly [Point, Point]): Pinch {
  const middle = ([a, b]: readonly [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const apart = ([a, b]: readonly [Point, Point]): number => Math.hypot(b.x - a.x, b.y - a.y);
  const [was, about] = [middle(before), middle(now)];
  const isMeasurable = apart(before) >= LEAST_PX && apart(now) >= LEAST_PX;
  return {
    factor: isMeasurable ? apart(now) / apart(before) : 1,
    about,
    shift: { x: about.x - was.x, y: about.y - was.y },
  };
}

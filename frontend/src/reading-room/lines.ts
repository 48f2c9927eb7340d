/** The lines that a reader measures on a film, as the reading keeps them. */
import type { Reading } from "../api/reading";
import type { Line } from "../viewer/ruler";

export function linesOf({ measured_lines: stored }: Pick<Reading, "measured_lines">): readonly Line[] {
  return stored.map(([fromX = 0, fromY = 0, toX = 0, toY = 0]) => ({
    from: { x: fromX, y: fromY },
    to: { x: toX, y: toY },
  }));
}

/** From x, y to x, y in tenths of a film pixel: finer than any hand. */
export function asStored(lines: readonly Line[]): number[][] {
  return lines.map(({ from, to }) => [from.x, from.y, to.x, to.y].map((at) => Math.round(at * 10) / 10));
}

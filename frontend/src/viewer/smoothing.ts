/**
 * A film that is shown smaller than it is: each pixel of the screen shows the mean of the film's pixels that it
 * covers. The canvas alone would show one of a few, and with it noise and patterns that are not in the film.
 */
import type { Affine, Size } from "./geometry";

/** Film pixels to average over, in each direction; odd, so that nothing moves. */
export interface Smoothing {
  readonly across: number;
  readonly down: number;
}

export const NO_SMOOTHING: Smoothing = { across: 1, down: 1 };

/** For a film that lies on the screen like this, whose own pixels are `pixelRatio` to a CSS pixel. */
export function smoothingFor({ xAxis, yAxis }: Affine, pixelRatio: number): Smoothing {
  const nearestOdd = (screenPixels: number): number => {
    const covered = 1 / (screenPixels * pixelRatio);
    return Number.isFinite(covered) ? Math.max(1, 2 * Math.round((covered - 1) / 2) + 1) : 1;
  };
  return { across: nearestOdd(Math.hypot(xAxis.x, xAxis.y)), down: nearestOdd(Math.hypot(yAxis.x, yAxis.y)) };
}

/** Averages `greys` in place. */
export function smooth(greys: Uint8Array, size: Size, { across, down }: Smoothing): void {
  if (across > 1) averageAcross(greys, size, (across - 1) / 2);
  if (down > 1) averageDown(greys, size, (down - 1) / 2);
}

function averageAcross(greys: Uint8Array, { width, height }: Size, reach: number): void {
  const row = new Uint8Array(width);
  for (let start = 0; start < width * height; start += width) {
    row.set(greys.subarray(start, start + width));
    let sum = 0;
    let count = 0;
    for (let x = -reach; x < width; x++) {
      if (x + reach < width) {
        sum += row[x + reach] as number;
        count += 1;
      }
      if (x - reach - 1 >= 0) {
        sum -= row[x - reach - 1] as number;
        count -= 1;
      }
      if (x >= 0) greys[start + x] = (sum / count + 0.5) | 0;
    }
  }
}

function averageDown(greys: Uint8Array, { width, height }: Size, reach: number): void {
  const sums = new Uint32Array(width);
  // The rows that are to be taken out of the sums again are overwritten by then.
  const kept = Array.from({ length: reach + 1 }, () => new Uint8Array(width));
  const keptRow = (y: number): Uint8Array => kept[y % (reach + 1)] as Uint8Array;
  let count = 0;
  for (let y = -reach; y < height; y++) {
    if (y + reach < height) {
      const start = (y + reach) * width;
      for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) + (greys[start + x] as number);
      count += 1;
    }
    if (y - reach - 1 >= 0) {
      const gone = keptRow(y - reach - 1);
      for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) - (gone[x] as number);
      count -= 1;
    }
    if (y < 0) continue;
    const start = y * width;
    keptRow(y).set(greys.subarray(start, start + width));
    for (let x = 0; x < width; x++) greys[start + x] = ((sums[x] as number) / count + 0.5) | 0;
  }
}

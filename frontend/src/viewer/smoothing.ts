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
  const at = (x: number): number => row[x] ?? 0;
  const inner = width - reach;
  const share = 1 / (2 * reach + 1);
  for (let start = 0; start < width * height; start += width) {
    row.set(greys.subarray(start, start + width));
    let sum = 0;
    for (let x = 0; x < reach; x++) sum += at(x);
    // At its edges the film has fewer neighbours.
    const edge = (x: number): void => {
      sum += at(x + reach) - (x > reach ? at(x - reach - 1) : 0);
      const count = Math.min(x + reach, width - 1) - Math.max(x - reach, 0) + 1;
      greys[start + x] = (sum / count + 0.5) | 0;
    };
    let x = 0;
    for (; x <= Math.min(reach, width - 1); x++) edge(x);
    for (; x < inner; x++) {
      sum += (row[x + reach] as number) - (row[x - reach - 1] as number);
      greys[start + x] = (sum * share + 0.5) | 0;
    }
    for (; x < width; x++) edge(x);
  }
}

function averageDown(greys: Uint8Array, { width, height }: Size, reach: number): void {
  const sums = new Int32Array(width);
  const nothing = new Uint8Array(width);
  // The rows that are to be taken out of the sums again are overwritten by then.
  const kept = Array.from({ length: reach + 1 }, () => new Uint8Array(width));
  const keptRow = (y: number): Uint8Array => kept[y % (reach + 1)] as Uint8Array;
  const row = (y: number): Uint8Array => (y < height ? greys.subarray(y * width, (y + 1) * width) : nothing);
  for (let y = 0; y < reach; y++) {
    const next = row(y);
    for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) + (next[x] as number);
  }
  for (let y = 0; y < height; y++) {
    const count = Math.min(y + reach, height - 1) - Math.max(y - reach, 0) + 1;
    const share = 1 / count;
    const next = row(y + reach);
    const own = row(y);
    const kept = keptRow(y);
    // Its place is taken by this row, which has to be kept from now on.
    const gone = y > reach ? kept : nothing;
    for (let x = 0; x < width; x++) {
      const sum = (sums[x] as number) + (next[x] as number) - (gone[x] as number);
      sums[x] = sum;
      kept[x] = own[x] as number;
      own[x] = (sum * share + 0.5) | 0;
    }
  }
}

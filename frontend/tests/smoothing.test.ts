import { describe, expect, it } from "vitest";
import { smooth, smoothingFor } from "../src/viewer/smoothing";

const affine = (x: number, y: number) => ({
  origin: { x: 0, y: 0 },
  xAxis: { x, y: 0 },
  yAxis: { x: 0, y },
});

/** Each pixel's mean over its neighbours within the film, written plainly. */
function means(greys: Uint8Array, width: number, height: number, reachX: number, reachY: number): number[] {
  return Array.from(greys, (_, index) => {
    const [x, y] = [index % width, Math.floor(index / width)];
    let sum = 0;
    let count = 0;
    for (let v = Math.max(0, y - reachY); v <= Math.min(height - 1, y + reachY); v++) {
      for (let u = Math.max(0, x - reachX); u <= Math.min(width - 1, x + reachX); u++) {
        sum += greys[v * width + u] ?? 0;
        count += 1;
      }
    }
    return sum / count;
  });
}

describe("a film that is shown smaller", () => {
  it("is averaged over what a screen pixel covers, and left alone from half its size on", () => {
    expect(smoothingFor(affine(1, 1), 1)).toEqual({ across: 1, down: 1 });
    expect(smoothingFor(affine(0.6, 0.6), 1)).toEqual({ across: 1, down: 1 });
    expect(smoothingFor(affine(0.31, 0.31), 1)).toEqual({ across: 3, down: 3 });
    expect(smoothingFor(affine(0.31, 0.31), 2)).toEqual({ across: 1, down: 1 });
    expect(smoothingFor(affine(0.2, 0.4), 1)).toEqual({ across: 5, down: 3 });
    expect(smoothingFor(affine(0, 0), 1)).toEqual({ across: 1, down: 1 });
  });

  it("has the means of its neighbourhoods, at its edges of what is there", () => {
    const [width, height] = [23, 17];
    for (const [across, down] of [
      [3, 3],
      [5, 3],
      [1, 7],
      [9, 1],
      [31, 31],
    ] as const) {
      const greys = Uint8Array.from({ length: width * height }, (_, i) => (i * 7919) % 256);
      const expected = means(greys, width, height, (across - 1) / 2, (down - 1) / 2);
      smooth(greys, { width, height }, { across, down });
      const furthest = Math.max(...expected.map((mean, i) => Math.abs(mean - (greys[i] ?? 0))));
      expect(furthest).toBeLessThanOrEqual(1);
    }
  });

  it("keeps an even area as it is", () => {
    const greys = new Uint8Array(12 * 9).fill(201);
    smooth(greys, { width: 12, height: 9 }, { across: 5, down: 3 });
    expect(new Set(greys)).toEqual(new Set([201]));
  });
});

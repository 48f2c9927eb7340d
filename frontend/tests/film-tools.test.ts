import { describe, expect, it } from "vitest";
import { affineThrough } from "../src/viewer/geometry";
import { cutPatch, inLens, LENS_PX, lensPlace, lensScale } from "../src/viewer/lens";
import { pinchBetween } from "../src/viewer/pinch";
import {
  inWords,
  lengthLabel,
  lengthOf,
  lineLabels,
  MOST_LINES,
  rulerSpacing,
  startingLine,
  withEndMoved,
  withLine,
} from "../src/viewer/ruler";

const film = { width: 400, height: 600 };
const line = { from: { x: 10, y: 10 }, to: { x: 40, y: 50 } };

describe("the ruler", () => {
  it("measures in pixels where the spacing is unknown", () => {
    expect(lengthOf(line, null)).toEqual({ length: 50, unit: "px" });
    expect(lengthLabel(line, null)).toBe("50 px");
  });

  it("scales rows and columns each by their own spacing", () => {
    const spacing = { row: 0.5, column: 0.1, isAtDetector: false };
    expect(lengthOf(line, spacing).length).toBeCloseTo(Math.hypot(3, 20), 10);
    expect(lengthLabel(line, spacing)).toBe("20.2 mm");
  });

  it("says where the spacing is the detector's, since the body is smaller than its shadow", () => {
    const header = (tags: Record<string, string>) => ({ string: (tag: string) => tags[tag] });
    const at = (tags: Record<string, string>) => rulerSpacing(header(tags));
    expect(at({ x00181164: "0.14\\0.15" })).toEqual({ row: 0.14, column: 0.15, isAtDetector: true });
    expect(at({ x00280030: "0.13\\0.13", x00181164: "0.14\\0.14" })?.isAtDetector).toBe(false);
    expect(at({ x00280030: "0.14\\0.14", x00181164: "0.14\\0.14" })?.isAtDetector).toBe(true);
    const calibrated = { x00280030: "0.14\\0.14", x00181164: "0.14\\0.14", x00280a02: "FIDUCIAL" };
    expect(at(calibrated)?.isAtDetector).toBe(false);
    expect(lengthLabel(line, at({ x00181164: "0.1\\0.1" }))).toBe("5.0 mm at the detector");
  });

  it("trusts no spacing that is none", () => {
    for (const odd of ["", "0.1", "0\\0.1", "a\\b", "-1\\-1"]) {
      expect(rulerSpacing({ string: () => odd })).toBeNull();
    }
    expect(rulerSpacing({ string: () => undefined })).toBeNull();
  });

  it("is moved by keys and stays on the film", () => {
    expect(withEndMoved(line, "to", { x: 1, y: -10 }, film).to).toEqual({ x: 41, y: 40 });
    expect(withEndMoved(line, "from", { x: -100, y: -100 }, film).from).toEqual({ x: 0, y: 0 });
    expect(startingLine(film)).toEqual({ from: { x: 160, y: 300 }, to: { x: 240, y: 300 } });
  });
});

describe("several lines", () => {
  const heart = { from: { x: 100, y: 300 }, to: { x: 220, y: 300 } };
  const thorax = { from: { x: 50, y: 330 }, to: { x: 300, y: 330 } };

  it("are numbered, and the last tells the ratio of the last two, the shorter to the longer", () => {
    expect(lineLabels([line], null)).toEqual(["50 px"]);
    expect(lineLabels([heart, thorax], null)).toEqual(["1: 120 px", "2: 250 px · 1 ÷ 2 = 0.48"]);
    expect(lineLabels([line, thorax, heart], null)[2]).toBe("3: 120 px · 3 ÷ 2 = 0.48");
    expect(inWords([])).toBeNull();
    expect(inWords(lineLabels([heart, thorax], null))).toBe("Lines 1: 120 px, 2: 250 px · 1 ÷ 2 = 0.48.");
  });

  it("have no ratio to a line without length", () => {
    const none = { from: heart.from, to: heart.from };
    expect(lineLabels([none, none], null)[1]).toBe("2: 0 px");
  });

  it("are changed in their place, and the oldest gives way to one too many", () => {
    expect(withLine([heart, line], thorax, 0)).toEqual([thorax, line]);
    const full = Array.from({ length: MOST_LINES }, () => heart);
    expect(withLine(full, thorax, null)).toEqual([...full.slice(1), thorax]);
  });
});

describe("the magnifier", () => {
  it("is closer than the film, each direction by its own scale, and never coarser than the pixels", () => {
    const small = affineThrough({ x: 0, y: 0 }, { x: 80, y: 0 }, { x: 0, y: 240 }, film);
    const { x, y } = lensScale(small);
    expect(x).toBeCloseTo(1, 10);
    expect(y / x).toBeCloseTo(2, 10);
    const close = affineThrough({ x: 0, y: 0 }, { x: 800, y: 0 }, { x: 0, y: 1200 }, film);
    expect(lensScale(close)).toEqual({ x: 5, y: 5 });
  });

  it("shows a measured line as close as the film, the pointed end in the middle", () => {
    const line = { from: { x: 90, y: 40 }, to: { x: 100, y: 50 } };
    const middle = LENS_PX / 2;
    expect(inLens(line, line.to, { x: 4, y: 5 })).toEqual({
      from: { x: middle - 40, y: middle - 50 },
      to: { x: middle, y: middle },
    });
  });

  it("stands above the point, below it where there is no room, and on the screen", () => {
    const screen = { width: 1000, height: 800 };
    expect(lensPlace({ x: 500, y: 500 }, screen).y + LENS_PX).toBeLessThan(500);
    expect(lensPlace({ x: 500, y: 100 }, screen).y).toBeGreaterThan(100);
    expect(lensPlace({ x: 2, y: 500 }, screen).x).toBe(0);
    expect(lensPlace({ x: 999, y: 790 }, screen).x + LENS_PX).toBe(1000);
  });

  it("shows the film's own pixels, and black beside it", () => {
    const two = { width: 2, height: 2 };
    const picture = [10, 20, 30, 40];
    const { greys } = cutPatch((at) => picture[at] ?? 0, two, -1, 0, { width: 3, height: 3 });
    expect([...greys]).toEqual([0, 10, 20, 0, 30, 40, 0, 0, 0]);
  });
});

describe("two fingers", () => {
  it("zoom about their middle and carry the film along", () => {
    const pinch = pinchBetween(
      [
        { x: 0, y: 0 },
        { x: 100, y: 0 },
      ],
      [
        { x: 0, y: 10 },
        { x: 200, y: 10 },
      ],
    );
    expect(pinch).toEqual({ factor: 2, about: { x: 100, y: 10 }, shift: { x: 50, y: 10 } });
  });

  it("only carry it where they are one", () => {
    const here = { x: 5, y: 5 };
    expect(pinchBetween([here, here], [here, { x: 90, y: 5 }]).factor).toBe(1);
  });
});

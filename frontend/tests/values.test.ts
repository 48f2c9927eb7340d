import { describe, expect, it } from "vitest";
import { greysOf, paint, surveyFilm, type ValueRules } from "../src/viewer/values";
import {
  isSeenAlike,
  type Look,
  markedLook,
  markOf,
  presetsOf,
  rangeLook,
  rangeOf,
  type Seen,
  seenLabel,
  shareOfWhite,
  tableLook,
  type Window,
  windowAfterDrag,
  windowOf,
} from "../src/viewer/window";

const plain: ValueRules = {
  bitsStored: 12,
  isSigned: false,
  modality: { slope: 1, intercept: 0 },
  looks: [],
  padding: null,
  brighterIsHigher: true,
};

const windowLook = (center: number, width: number, curve: Look["curve"] = "linear"): Look => ({
  name: "Window 1",
  curve,
  table: null,
  window: { center, width },
});

/** The greys of these stored values as the film first shows them. */
function shown(stored: Int16Array | Uint16Array, rules: ValueRules, inverted = false): number[] {
  const [look] = surveyFilm(stored, rules).looks;
  const picture = new Uint8Array(stored.length);
  paint(stored, greysOf(rules, { look, window: look.window, inverted }), picture);
  return [...picture];
}

describe("a film's greys", () => {
  it("follow the film's first window", () => {
    const looks = [windowLook(2048, 4096), windowLook(0, 10)];
    expect(shown(Uint16Array.of(0, 2048, 4095), { ...plain, looks })).toEqual([0, 128, 255]);
  });

  it("span the whole range without the padding where the film names no window", () => {
    const rules = { ...plain, padding: { low: 0, high: 0 } };
    expect(shown(Uint16Array.of(0, 100, 500, 900), rules)).toEqual([0, 0, 128, 255]);
  });

  it("are all black where there is nothing but padding, or one value", () => {
    expect(shown(Uint16Array.of(7, 7), { ...plain, padding: { low: 7, high: 7 } })).toEqual([0, 0]);
    expect(shown(Uint16Array.of(7, 7), plain)).toEqual([0, 0]);
  });

  it("keep the padding black on both polarities and inverted, in any window", () => {
    const padding = { low: 0, high: 10 };
    for (const brighterIsHigher of [true, false]) {
      for (const inverted of [true, false]) {
        const rules = { ...plain, padding, brighterIsHigher, looks: [windowLook(500, 9000)] };
        expect(shown(Uint16Array.of(0, 10, 500), rules, inverted).slice(0, 2)).toEqual([0, 0]);
      }
    }
  });

  it("know the padding by its stored value, before the rescale", () => {
    const modality = { slope: 1, intercept: -1024 };
    const rules = { ...plain, modality, padding: { low: 0, high: 0 } };
    expect(surveyFilm(Uint16Array.of(0, 1024, 1524), rules).range).toEqual({ lower: 0, upper: 500 });
  });

  it("are turned over for MONOCHROME1, and again by the reader", () => {
    const rules = { ...plain, brighterIsHigher: false };
    expect(shown(Uint16Array.of(0, 4095), rules)).toEqual([255, 0]);
    expect(shown(Uint16Array.of(0, 4095), rules, true)).toEqual([0, 255]);
  });

  it("take the sign from the bits stored, whatever array the decoder gives", () => {
    const rules = { ...plain, isSigned: true, looks: [windowLook(0, 4096)] };
    expect(shown(Int16Array.of(-2048, 0, 2047), rules)).toEqual([0, 128, 255]);
    expect(shown(Uint16Array.of(0x800, 0, 0x7ff), rules)).toEqual([0, 128, 255]);
  });

  it("go through a modality table, and a VOI table, clamped at their ends", () => {
    const modality = { firstMapped: 1, entries: Uint16Array.of(30, 20, 10), maximum: 65_535 };
    const voi = { firstMapped: 10, entries: Uint16Array.from({ length: 21 }, (_, i) => i * i), maximum: 400 };
    const rules = { ...plain, modality, looks: [tableLook("NORMAL", voi)] };
    expect(shown(Uint16Array.of(0, 1, 2, 3, 99), rules)).toEqual([255, 255, 64, 0, 0]);
  });
});

describe("the window", () => {
  it("means the range of DICOM PS3.3 C.11.2.1.2, and back", () => {
    expect(rangeOf({ center: 2048, width: 4096 })).toEqual({ lower: 0, upper: 4095 });
    expect(windowOf({ lower: 0, upper: 4095 })).toEqual({ center: 2048, width: 4096 });
  });

  it("has the shares of the standard's note: width 4096 at 2048, width 1 as a step, exact and S-curve", () => {
    const share = (value: number, center: number, width: number, curve: Look["curve"]): number =>
      shareOfWhite(value, { center, width }, curve);
    expect(share(1024, 2048, 4096, "linear")).toBeCloseTo(1024 / 4095);
    expect([share(9, 10, 1, "linear"), share(10, 10, 1, "linear")]).toEqual([0, 1]);
    expect(share(1024, 2048, 4096, "linear_exact")).toBe(0.25);
    expect([share(0, 2048, 4096, "linear_exact"), share(4096, 2048, 4096, "linear_exact")]).toEqual([0, 1]);
    expect(share(2048, 2048, 4096, "sigmoid")).toBe(0.5);
    expect(share(3072, 2048, 4096, "sigmoid")).toBeCloseTo(1 / (1 + Math.exp(-1)));
  });

  it("widens to the right, and never gets narrower than 1", () => {
    const start = { center: 100, width: 50 };
    const screen = { width: 1000, height: 1000 };
    expect(windowAfterDrag(start, { x: 100, y: 0 }, screen, 1000).width).toBe(250);
    expect(windowAfterDrag(start, { x: -900, y: 0 }, screen, 1000).width).toBe(1);
    expect(windowAfterDrag(start, { x: 0, y: 50 }, screen, 1000).center).toBe(200);
  });
});

describe("two looks", () => {
  const table = { firstMapped: 0, entries: Uint16Array.of(0, 1), maximum: 1 };
  const looks = [windowLook(1, 2), windowLook(1, 2, "sigmoid"), tableLook("NORMAL", table)];
  const [first, second, third] = looks as [Look, Look, Look];

  it("are told apart by their places, and found again", () => {
    expect(markOf(looks, second)).toEqual({ index: 1, name: "Window 1", curve: "sigmoid" });
    expect(markOf(looks, third)).toEqual({ index: 2, name: "NORMAL", curve: "table" });
    for (const look of looks) expect(markedLook(looks, markOf(looks, look))).toBe(look);
    expect(markedLook(looks, null)).toBe(first);
  });

  it("are not taken for one another where a film has others than when it was seen", () => {
    for (const other of [[first], [first, third], [first, windowLook(1, 2, "linear_exact"), third]]) {
      expect(markedLook(other, markOf(looks, second))).toBeNull();
    }
  });

  it("make a film seen otherwise, as a window and an inversion do", () => {
    const seen: Seen = { window: { center: 1, width: 2 }, inverted: false, look: null };
    const mark = markOf(looks, second);
    expect(isSeenAlike(seen, { ...seen, look: markOf(looks, first) })).toBe(true);
    expect(isSeenAlike(seen, { ...seen, window: { center: 1.01, width: 2 } })).toBe(true);
    expect(isSeenAlike(seen, { ...seen, window: { center: 1.1, width: 2 } })).toBe(false);
    expect(isSeenAlike(seen, { ...seen, window: { center: 1, width: 3 } })).toBe(false);
    expect(isSeenAlike(seen, { ...seen, inverted: true })).toBe(false);
    expect(isSeenAlike(seen, { ...seen, look: mark })).toBe(false);
  });
});

describe("the presets", () => {
  const whole = rangeLook({ lower: 0, upper: 4095 });
  const names = (...looks: Look[]): string[] => presetsOf([...looks, whole]).map(({ name }) => name);

  it("start with the film's own look, and name its further ones as it does; without any with its whole range", () => {
    expect(names()).toEqual(["Full range", "Auto", "Lung", "Mediastinum", "Soft", "Hard"]);
    expect(names(windowLook(1, 2)).filter((name) => !/Auto|Soft|Hard|Lung|Med/.test(name))).toEqual([
      "As stored",
      "Full range",
    ]);
    const table = tableLook("Window 1", { firstMapped: 0, entries: Uint16Array.of(0, 1), maximum: 1 });
    expect(names(windowLook(1, 2), table).slice(0, 2)).toEqual([
      "As stored: Window 1",
      "As stored: Window 1 (2)",
    ]);
  });

  it("are told in words: a plain window, a curve, a table and what the reader's window does to it", () => {
    const first = (window: Window, look: Look): string => seenLabel(window, look, true);
    expect(first({ center: 500.4, width: 900 }, windowLook(1, 400))).toBe("W 900 L 500");
    expect(first({ center: 0.5, width: 1.25 }, windowLook(0.5, 1))).toBe("W 1.25 L 0.5");
    expect(first({ center: 5, width: 90 }, windowLook(1, 400, "sigmoid"))).toBe("S-curve W 90 L 5");
    const table = tableLook("HARDER", { firstMapped: 0, entries: Uint16Array.of(0, 255), maximum: 255 });
    expect(first(table.window, table)).toBe("HARDER");
    expect(first({ center: 128, width: 100 }, table)).toBe("HARDER, then W 100 L 128");
    expect(seenLabel({ center: 5, width: 90 }, windowLook(1, 400), false)).toBe("Window 1: W 90 L 5");
    expect(seenLabel(table.window, table, false)).toBe("HARDER");
  });
});

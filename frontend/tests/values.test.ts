import { describe, expect, it } from "vitest";
import { prepareValues, type ValueRules } from "../src/viewer/values";
import { PRESETS, rangeOf, windowAfterDrag, windowOf } from "../src/viewer/window";

const plain: ValueRules = {
  window: null,
  isSigmoid: false,
  table: null,
  padding: null,
  slope: 1,
  intercept: 0,
  brighterIsHigher: true,
};

describe("a film's values", () => {
  it("keep the film's own window and are not changed", () => {
    const values = Uint16Array.of(0, 100, 4000);
    const { initial } = prepareValues(values, { ...plain, window: { center: 2000, width: 800 } });
    expect(initial).toEqual({ center: 2000, width: 800 });
    expect([...values]).toEqual([0, 100, 4000]);
  });

  it("span the whole range without the padding where the film names no window", () => {
    const { initial } = prepareValues(Uint16Array.of(0, 0, 100, 900), {
      ...plain,
      padding: { low: 0, high: 0 },
    });
    expect(rangeOf(initial)).toEqual({ lower: 100, upper: 900 });
  });

  it("turn padding black on both polarities", () => {
    const bright = Uint16Array.of(65_535, 100, 900);
    prepareValues(bright, { ...plain, padding: { low: 65_535, high: 65_535 } });
    expect([...bright]).toEqual([100, 100, 900]);

    const inverted = Int16Array.of(-2000, 100, 900);
    prepareValues(inverted, { ...plain, brighterIsHigher: false, padding: { low: -2000, high: -2000 } });
    expect([...inverted]).toEqual([900, 100, 900]);
  });

  it("know the padding by its stored value, before the rescale", () => {
    const values = Float32Array.of(-1024, 0, 500);
    prepareValues(values, { ...plain, slope: 1, intercept: -1024, padding: { low: 0, high: 0 } });
    expect([...values]).toEqual([0, 0, 500]);
  });

  it("go through the VOI table where there is no window, clamped at its ends", () => {
    const table = { firstMapped: 10, entries: [0, 50, 255], maximum: 255 };
    const values = Uint16Array.of(0, 10, 11, 12, 99);
    const { initial } = prepareValues(values, { ...plain, table });
    expect([...values]).toEqual([0, 0, 50, 255, 255]);
    expect(rangeOf(initial)).toEqual({ lower: 0, upper: 255 });

    const untouched = Uint16Array.of(10, 11);
    prepareValues(untouched, { ...plain, table, window: { center: 11, width: 4 } });
    expect([...untouched]).toEqual([10, 11]);
  });

  it("fit a table of 16 bits into an array of fewer by their share of white", () => {
    const table = { firstMapped: 0, entries: [0, 65_535], maximum: 65_535 };
    const values = Int16Array.of(0, 1);
    const { highest } = prepareValues(values, { ...plain, table });
    expect([...values]).toEqual([0, 32_767]);
    expect(highest).toBeCloseTo(32_767);
  });
});

describe("the window", () => {
  it("means the range of DICOM PS3.3 C.11.2.1.2, and back", () => {
    expect(rangeOf({ center: 2048, width: 4096 })).toEqual({ lower: 0, upper: 4095 });
    expect(windowOf({ lower: 0, upper: 4095 })).toEqual({ center: 2048, width: 4096 });
  });

  it("widens to the right, and never gets narrower than 1", () => {
    const start = { center: 100, width: 50 };
    const screen = { width: 1000, height: 1000 };
    expect(windowAfterDrag(start, { x: 100, y: 0 }, screen, 1000).width).toBe(250);
    expect(windowAfterDrag(start, { x: -900, y: 0 }, screen, 1000).width).toBe(1);
    expect(windowAfterDrag(start, { x: 0, y: 50 }, screen, 1000).center).toBe(200);
  });

  it("looks at the lung on the dark side of either polarity", () => {
    const lung = PRESETS.find((preset) => preset.name === "Lung");
    const film = { initial: { center: 500, width: 1000 }, range: { lower: 0, upper: 1000 } };
    expect(lung?.windowFor({ ...film, brighterIsHigher: true }).center).toBe(300);
    expect(lung?.windowFor({ ...film, brighterIsHigher: false }).center).toBe(700);
  });
});

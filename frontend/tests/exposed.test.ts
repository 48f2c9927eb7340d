import { describe, expect, it } from "vitest";
import { exposedIn, exposedValues } from "../src/viewer/exposed";
import type { Size } from "../src/viewer/geometry";
import type { ValueRules } from "../src/viewer/values";
import { type Curve, presetsOf, rangeLook, rangeOf, shareOfWhite, windowOver } from "../src/viewer/window";

/** Where the lungs, and the heart with the spine before them, lie in a chest film's values, darkest first. */
const LUNGS = [0.05, 0.5];
const MEDIASTINUM = [0.55, 0.99];

/** Measured on films of NIH ChestX-ray14 and of TCIA's Pseudo-PHI-DICOM-Data: the values at these shares. */
const SHARES = [0, 0.01, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.998, 1];
const FILMS: Readonly<Record<string, readonly number[]>> = {
  "half of it white": [0, 85, 94, 109, 138, 171, 206, 222, 225, 226, 255],
  "narrow, with air in the field": [5, 13, 24, 69, 101, 145, 178, 198, 206, 209, 213],
  "of a quarter of what can be stored": [70, 72, 74, 78, 84, 96, 112, 121, 126, 128, 130],
  "of 10 bits": [148, 212, 226, 253, 331, 493, 679, 730, 745, 754, 772],
};
const SIZE: Size = { width: 400, height: 320 };
const BORDER = 40;

const rules: ValueRules = {
  bitsStored: 10,
  isSigned: false,
  modality: { slope: 1, intercept: 0 },
  looks: [],
  padding: null,
  brighterIsHigher: true,
};

function at(values: readonly number[], share: number): number {
  const above = Math.max(
    SHARES.findIndex((each) => each >= share),
    1,
  );
  const [low, high] = [SHARES[above - 1] as number, SHARES[above] as number];
  const [from, to] = [values[above - 1] as number, values[above] as number];
  return from + ((to - from) * (share - low)) / (high - low);
}

/** A body with these values between collimated borders, air beside it and letters in a corner. */
function filmOf(values: readonly number[], { border = 0, air = 0, letters = 1023 } = {}): Uint16Array {
  const { width, height } = SIZE;
  return Uint16Array.from({ length: width * height }, (_, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    if (row > height - BORDER || column < BORDER) return border;
    const [across, down] = [(column - BORDER) / (width - BORDER) - 0.5, row / (height - BORDER) - 0.5];
    if (row > 4 && row < 20 && column > width - 60 && column % 3 === 0) return letters;
    if (Math.hypot(across / 0.44, down / 0.48) > 1) return air;
    return Math.round(at(values, (index * 0.618_034) % 1));
  });
}

function windowsOf(stored: Uint16Array, of: ValueRules, curve: Curve = "linear") {
  const exposed = exposedIn(exposedValues(stored, SIZE, of), null, of.brighterIsHigher);
  const presets = presetsOf([rangeLook({ lower: 0, upper: 1023 })]);
  return new Map(
    presets.flatMap((preset) =>
      "from" in preset ? [[preset.name, windowOver(exposed, preset, curve)] as const] : [],
    ),
  );
}

describe.each(Object.entries(FILMS))("on a film %s", (_, values) => {
  const contrast = at(values, 0.998) - at(values, 0.02);
  const windows = windowsOf(filmOf(values), rules);
  const greys = (name: string, shares: readonly number[], curve: Curve = "linear"): number[] =>
    shares.map((share) =>
      shareOfWhite(at(values, share), windows.get(name) ?? { center: 0, width: 1 }, curve),
    );
  const spread = (name: string, shares: readonly number[]): number => {
    const [dark = 0, bright = 0] = greys(name, shares);
    return bright - dark;
  };

  it("Auto goes from its darkest lung to its brightest bone, whatever lies around the body", () => {
    const { lower, upper } = rangeOf(windows.get("Auto") ?? { center: 0, width: 1 });
    expect(Math.abs(lower - at(values, 0.02))).toBeLessThan(0.03 * contrast + 1);
    expect(Math.abs(upper - at(values, 0.998))).toBeLessThan(0.03 * contrast + 1);
  });

  it("each preset shows what it is named for with most of the greys", () => {
    expect(spread("Lung", LUNGS)).toBeGreaterThan(Math.max(0.4, spread("Auto", LUNGS)));
    expect(spread("Mediastinum", MEDIASTINUM)).toBeGreaterThan(Math.max(0.3, spread("Auto", MEDIASTINUM)));
    expect(spread("Soft", [0.02, 0.998])).toBeCloseTo(1 / 1.3, 1);
    expect(spread("Hard", [0.2, 0.8])).toBeGreaterThan(spread("Auto", [0.2, 0.8]) + 0.05);
  });

  it("leave no film burnt out or black", () => {
    expect(greys("Lung", [0.75])[0]).toBeLessThan(1);
    expect(greys("Mediastinum", [0.3])[0]).toBeGreaterThan(0);
  });

  it("show a MONOCHROME1 film as they show its negative", () => {
    const negative = Uint16Array.from(filmOf(values), (value) => 1023 - value);
    for (const [name, { center, width }] of windowsOf(negative, { ...rules, brighterIsHigher: false })) {
      expect(center).toBeCloseTo(1024 - (windows.get(name)?.center ?? 0), 6);
      expect(width).toBeCloseTo(windows.get(name)?.width ?? 0, 6);
    }
  });
});

describe("what is exposed of a film", () => {
  const [values = []] = Object.values(FILMS);
  const auto = (stored: Uint16Array, of: ValueRules) => windowsOf(stored, of).get("Auto");

  it("is the same whether its collimated border is black or white, or padding", () => {
    const plain = auto(filmOf(values), rules)?.center ?? 0;
    const padding = { low: 0, high: 0 };
    for (const other of [
      auto(filmOf(values, { border: 1023 }), rules),
      auto(filmOf(values), { ...rules, padding }),
    ]) {
      expect(Math.abs((other?.center ?? 0) - plain)).toBeLessThan(4);
    }
  });

  it("is taken after the modality transform, and through a table in what that puts out", () => {
    const modality = { slope: 2, intercept: -1024 };
    const [plain, rescaled] = [auto(filmOf(values), rules), auto(filmOf(values), { ...rules, modality })];
    expect((rescaled?.width ?? 0) - 1).toBeCloseTo(2 * ((plain?.width ?? 0) - 1), 6);
    const falling = {
      firstMapped: 0,
      entries: Uint16Array.from({ length: 1024 }, (_, i) => 4092 - 4 * i),
      maximum: 4095,
    };
    const through = exposedIn(exposedValues(filmOf(values), SIZE, rules), falling, true);
    expect(through.at(0)).toBeLessThan(through.at(1));
    expect(through.at(1)).toBeLessThanOrEqual(4092);
  });

  it("has its shoulders within the S-curve, as it has its ends within a line", () => {
    const window = windowsOf(filmOf(values), rules, "sigmoid").get("Auto") ?? { center: 0, width: 1 };
    expect(shareOfWhite(at(values, 0.02), window, "sigmoid")).toBeLessThan(0.08);
    expect(shareOfWhite(at(values, 0.998), window, "sigmoid")).toBeGreaterThan(0.92);
  });

  it("is some window even where there is nothing but padding, or one value", () => {
    const all = Uint16Array.from({ length: SIZE.width * SIZE.height }, () => 7);
    expect(auto(all, { ...rules, padding: { low: 7, high: 7 } })?.width).toBe(1);
    expect(auto(all, rules)).toEqual({ center: 7.5, width: 1 });
  });
});

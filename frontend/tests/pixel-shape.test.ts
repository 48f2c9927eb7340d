import { describe, expect, it } from "vitest";
import { pixelShape } from "../src/viewer/pixel-shape";

const film = (tags: Record<string, string>) => ({ string: (tag: string) => tags[tag] });

describe("a film's pixels", () => {
  it("have the shape of their spacing, the calibrated before the detector's", () => {
    expect(pixelShape(film({ x00280030: "0.3\\0.1", x00181164: "0.2\\0.2" }))).toEqual({
      row: 0.3,
      column: 0.1,
    });
    expect(pixelShape(film({ x00181164: "0.2\\0.1" }))).toEqual({ row: 0.2, column: 0.1 });
  });

  it("have the shape of their aspect ratio where no spacing is known", () => {
    expect(pixelShape(film({ x00280034: "4\\3" }))).toEqual({ row: 4, column: 3 });
  });

  it("are square where nothing is known, where it cannot be, and where it is nearly so", () => {
    const square = { row: 1, column: 1 };
    expect(pixelShape(film({}))).toEqual(square);
    expect(pixelShape(film({ x00280030: "0\\0" }))).toEqual(square);
    expect(pixelShape(film({ x00280030: "0.2" }))).toEqual(square);
    expect(pixelShape(film({ x00280030: "1.2\\1.201199999999" }))).toEqual(square);
  });
});

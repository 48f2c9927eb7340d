import { describe, expect, it } from "vitest";
import { type LabelPlace, type Plate, placeOf } from "../src/viewer/label-place";

const SIZE = { width: 100, height: 20 };
const PLATE = { left: 0, right: 150, top: 340, bottom: 400 };
const SCREEN = { width: 400, height: 400, corners: [PLATE] };
const boxAt = (x: number, y: number) => ({ x_min: x, y_min: y, x_max: x + 120, y_max: y + 60 });
const put = (x: number, y: number, taken: Plate[] = [], place: LabelPlace = "above"): Plate =>
  placeOf(SIZE, boxAt(x, y), SCREEN, place, taken);

describe("a region's label", () => {
  it("stands above its region, and beside the label of one that lies alike", () => {
    const taken: Plate[] = [];
    expect(put(50, 100, taken)).toMatchObject({ x: 50, y: 80 });
    expect(put(60, 100, taken)).toMatchObject({ x: 150, y: 80 });
    expect(taken).toHaveLength(2);
  });

  it("goes up a row where it would leave the screen beside another one", () => {
    const taken: Plate[] = [];
    put(220, 100, taken);
    expect(put(240, 100, taken)).toMatchObject({ x: 240, y: 60 });
    const ofBoth: Plate[] = [];
    put(0, 200, ofBoth, "below right");
    expect(put(0, 200, ofBoth, "below right")).toMatchObject({ x: 20, y: 240 });
  });

  it("lies on no words in a corner, also where another label pushes it there", () => {
    expect(put(10, 370)).toMatchObject({ x: 10, y: 320 });
    const taken: Plate[] = [];
    put(170, 300, taken, "below right");
    expect(put(170, 300, taken, "below right")).toMatchObject({ x: 190, y: 340 });
  });
});

import { describe, expect, it } from "vitest";
import {
  affineThrough,
  type Box,
  boxProblem,
  boxToScreen,
  dragged,
  drawsAnew,
  isDrawable,
  isFlat,
  MIN_SIDE_PX,
  nearestVisible,
  nextOf,
  overlap,
  partOnFilm,
  placeOnFilm,
  regionsAt,
  resized,
  shiftToShow,
  startingBox,
  toFilm,
  toScreen,
  withinFilm,
} from "../src/viewer/geometry";

const film = { width: 400, height: 600 };
const box: Box = { x_min: 100, y_min: 200, x_max: 150, y_max: 260 };

/** Numbers without a pattern, the same in every run. */
function* numbers(seed = 7): Generator<number, number> {
  let state = seed;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state / 2_147_483_648;
  }
}

describe("the affine between film and screen", () => {
  const zoomed = affineThrough({ x: 10, y: 20 }, { x: 210, y: 20 }, { x: 10, y: 320 }, film);

  it("puts the film's corners where they are on the screen", () => {
    expect(toScreen({ x: 0, y: 0 }, zoomed)).toEqual({ x: 10, y: 20 });
    expect(toScreen({ x: 400, y: 600 }, zoomed)).toEqual({ x: 210, y: 320 });
    expect(boxToScreen(box, zoomed)).toEqual({ x_min: 60, y_min: 120, x_max: 85, y_max: 150 });
  });

  it("brings every point back, also on a turned and mirrored film", () => {
    const turned = affineThrough({ x: 300, y: 40 }, { x: 280, y: 240 }, { x: 20, y: 60 }, film);
    const random = numbers();
    for (let i = 0; i < 100; i++) {
      const point = { x: random.next().value * 400, y: random.next().value * 600 };
      const back = toFilm(toScreen(point, turned), turned);
      expect(back.x).toBeCloseTo(point.x, 8);
      expect(back.y).toBeCloseTo(point.y, 8);
    }
  });

  it("keeps a box ordered where the film is mirrored", () => {
    const mirrored = affineThrough({ x: 200, y: 0 }, { x: 0, y: 0 }, { x: 200, y: 300 }, film);
    const shown = boxToScreen(box, mirrored);
    expect(shown.x_min).toBeLessThan(shown.x_max);
    expect(shown.y_min).toBeLessThan(shown.y_max);
  });
});

describe("dragging", () => {
  it("moves a box without changing its size, and stops at the film's edge", () => {
    expect(dragged(box, "move", { x: 10, y: -5 }, film)).toEqual({
      x_min: 110,
      y_min: 195,
      x_max: 160,
      y_max: 255,
    });
    expect(dragged(box, "move", { x: 1000, y: 1000 }, film)).toEqual({
      x_min: 350,
      y_min: 540,
      x_max: 400,
      y_max: 600,
    });
  });

  it("moves only the edges that the grip holds", () => {
    expect(dragged(box, "se", { x: 7, y: 9 }, film)).toEqual({ ...box, x_max: 157, y_max: 269 });
    expect(dragged(box, "n", { x: 7, y: 9 }, film)).toEqual({ ...box, y_min: 209 });
    expect(dragged(box, "w", { x: -7, y: 9 }, film)).toEqual({ ...box, x_min: 93 });
  });

  it("becomes a new box where its corner is dragged across it, and is only resized else", () => {
    const start = { x_min: 100, y_min: 100, x_max: 200, y_max: 200 };
    const from = { x: 109, y: 108 };
    const pulled = (x: number, y: number): boolean => {
      const moved = dragged(start, "nw", { x: x - from.x, y: y - from.y }, film);
      return drawsAnew(start, moved, { x_min: from.x, y_min: from.y, x_max: x, y_max: y });
    };
    expect(pulled(203, 196)).toBe(true);
    expect(pulled(230, 240)).toBe(true);
    // Smaller by a corner, or narrow from one side.
    expect(pulled(160, 150)).toBe(false);
    expect(pulled(200, 120)).toBe(false);
  });

  it("always leaves a box with an area inside the film", () => {
    const random = numbers(3);
    for (const grip of ["move", "n", "s", "e", "w", "nw", "ne", "sw", "se"] as const) {
      for (let i = 0; i < 50; i++) {
        const delta = { x: (random.next().value - 0.5) * 2000, y: (random.next().value - 0.5) * 2000 };
        const after = dragged(box, grip, delta, film);
        expect(withinFilm(after, film)).toEqual(after);
        expect(after.x_max - after.x_min).toBeGreaterThanOrEqual(MIN_SIDE_PX);
        expect(after.y_max - after.y_min).toBeGreaterThanOrEqual(MIN_SIDE_PX);
      }
    }
  });
});

describe("a drag that is to draw a region", () => {
  it("spans nothing of the film along a line, at a point, or beside the film", () => {
    const film = { width: 100, height: 50 };
    const isNone = (x0: number, y0: number, x1: number, y1: number): boolean =>
      isFlat({ x: x0, y: y0 }, { x: x1, y: y1 }, film);
    expect([isNone(10, 10, 10, 40), isNone(10, 10, 60, 10), isNone(5, 5, 5, 5)]).toEqual([true, true, true]);
    expect([isNone(-30, 10, -5, 40), isNone(20, 60, 40, 90)]).toEqual([true, true]);
    expect([isNone(-30, 10, 1, 40), isNone(60, 40, 20, 10)]).toEqual([false, false]);
  });
});

describe("what can be drawn", () => {
  it("leaves out boxes without area, with swapped corners, outside of the film, or not finite", () => {
    expect(isDrawable(box, film)).toBe(true);
    expect(isDrawable({ ...box, x_max: 100 }, film)).toBe(false);
    expect(isDrawable({ ...box, y_max: 10 }, film)).toBe(false);
    expect(isDrawable({ x_min: 500, y_min: 0, x_max: 600, y_max: 10 }, film)).toBe(false);
    expect(isDrawable({ ...box, x_min: Number.NaN }, film)).toBe(false);
  });

  it("starts a region that cannot be drawn in the middle of the film", () => {
    expect(isDrawable(startingBox(film), film)).toBe(true);
  });
});

describe("bringing a region into view", () => {
  const screen = { width: 800, height: 600 };

  it("leaves a film alone whose region is in view", () => {
    expect(shiftToShow({ x_min: 100, y_min: 100, x_max: 200, y_max: 200 }, screen, 40)).toEqual({
      x: 0,
      y: 0,
    });
  });

  it("means what of it lies on the film: one that reaches far beyond moves nothing", () => {
    expect(partOnFilm(box, film)).toBe(box);
    const far = { x_min: 200, y_min: 280, x_max: 3547, y_max: 410 };
    expect(partOnFilm(far, film)).toEqual({ ...far, x_max: film.width });
    expect(shiftToShow(partOnFilm(far, film), { width: 440, height: 640 }, 40)).toEqual({ x: 0, y: 0 });
  });

  it("moves it by no more than it must, and centres what is larger than the screen", () => {
    expect(shiftToShow({ x_min: -60, y_min: 550, x_max: 100, y_max: 620 }, screen, 40)).toEqual({
      x: 100,
      y: -60,
    });
    expect(shiftToShow({ x_min: 0, y_min: 0, x_max: 1000, y_max: 100 }, screen, 40).x).toBe(-100);
  });
});

describe("resizing by keys", () => {
  it("moves one corner and keeps the other", () => {
    expect(resized(box, "end", { x: 1, y: 0 }, film)).toEqual({ ...box, x_max: 151 });
    expect(resized(box, "end", { x: 0, y: 10 }, film)).toEqual({ ...box, y_max: 270 });
    expect(resized(box, "start", { x: -1, y: 0 }, film)).toEqual({ ...box, x_min: 99 });
    expect(resized(box, "start", { x: 0, y: -10 }, film)).toEqual({ ...box, y_min: 190 });
  });

  it("stops at the film's edge and at the smallest region", () => {
    expect(resized(box, "end", { x: 1000, y: 0 }, film)).toEqual({ ...box, x_max: 400 });
    expect(resized(box, "start", { x: 1000, y: 0 }, film)).toEqual({ ...box, x_min: 150 - MIN_SIDE_PX });
  });
});

describe("what cannot be saved", () => {
  it("is said with the way out", () => {
    expect(boxProblem(box, film)).toBeNull();
    expect(boxProblem({ x_min: 0, y_min: 0, x_max: 400, y_max: 600 }, film)).toBeNull();
    expect(boxProblem({ ...box, x_max: 100 }, film)).toBe("The width must be more than 0.");
    expect(boxProblem({ ...box, y_max: 100 }, film)).toBe("The height must be more than 0.");
    expect(boxProblem({ ...box, x_max: Number.NaN }, film)).toBe("Each of the four needs a number.");
    expect(boxProblem({ ...box, x_max: 401 }, film)).toBe(
      "The region would reach outside the film, which is 400 × 600 pixels.",
    );
  });
});

describe("a region that cannot be drawn as it is", () => {
  it("shows itself on the film, near to where it lies", () => {
    const odd: Box[] = [
      { x_min: 100, y_min: 100, x_max: 100, y_max: 100 },
      { x_min: -90, y_min: 700, x_max: -10, y_max: 900 },
      { x_min: 390, y_min: 10, x_max: 900, y_max: 20 },
      { x_min: 300, y_min: 200, x_max: 100, y_max: 100 },
    ];
    for (const each of odd) {
      const shown = nearestVisible(each, film);
      expect(boxProblem(shown, film)).toBeNull();
      expect(shown.x_max - shown.x_min).toBeGreaterThanOrEqual(10);
    }
    expect(nearestVisible(odd[3] as Box, film)).toEqual({ x_min: 100, y_min: 100, x_max: 300, y_max: 200 });
  });
});

describe("a click on regions that lie over each other", () => {
  const placed = [
    { uid: "outer", box: { x_min: 0, y_min: 0, x_max: 200, y_max: 200 } },
    { uid: "inner", box: { x_min: 50, y_min: 50, x_max: 80, y_max: 80 } },
    { uid: "away", box: { x_min: 300, y_min: 0, x_max: 400, y_max: 90 } },
  ];

  it("finds those under it, the smallest first", () => {
    expect(regionsAt({ x: 60, y: 60 }, placed, 8)).toEqual(["inner", "outer"]);
    expect(regionsAt({ x: 294, y: 95 }, placed, 8)).toEqual(["away"]);
    expect(regionsAt({ x: 250, y: 250 }, placed, 8)).toEqual([]);
  });

  it("goes round them when repeated", () => {
    expect(nextOf(["inner", "outer"], null)).toBe("inner");
    expect(nextOf(["inner", "outer"], "inner")).toBe("outer");
    expect(nextOf(["inner", "outer"], "outer")).toBe("inner");
    expect(nextOf(["inner", "outer"], "away")).toBe("inner");
    expect(nextOf([], "inner")).toBeNull();
  });
});

describe("what two regions both cover", () => {
  const box = { x_min: 0, y_min: 0, x_max: 10, y_max: 10 };
  it("is a share of what either covers, and nothing where they lie apart", () => {
    expect(overlap(box, box)).toBe(1);
    expect(overlap(box, { ...box, x_max: 5 })).toBe(0.5);
    expect(overlap(box, { ...box, x_min: 5, x_max: 15 })).toBeCloseTo(1 / 3);
    expect(overlap(box, { ...box, x_min: 20, x_max: 30 })).toBe(0);
    expect(overlap(box, { ...box, x_min: 30, x_max: 20 })).toBe(0);
  });
});

describe("where a region shows itself", () => {
  it("is its own place on the film, and never off the film", () => {
    expect(placeOnFilm(box, film)).toBe(box);
    const beyond = placeOnFilm({ x_min: 25_253, y_min: 448, x_max: 777, y_max: 500 }, film);
    expect(beyond).toEqual({ x_min: 385, y_min: 448, x_max: 400, y_max: 500 });
    expect(isDrawable(beyond, film)).toBe(true);
  });
});

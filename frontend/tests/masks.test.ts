import { describe, expect, it } from "vitest";
import { stillSuggested } from "../src/mask-film/found";
import { Masks, snapped, wholePixels } from "../src/mask-film/masks";

const FILM = { width: 400, height: 240 };
const box = (x_min: number, y_min: number, x_max: number, y_max: number) => ({ x_min, y_min, x_max, y_max });

describe("boxes over text", () => {
  it("cover every pixel that they touch, and none beside the film", () => {
    expect(wholePixels(box(1.2, 2.9, 10.1, 20.0), FILM)).toEqual(box(1, 2, 11, 20));
    expect(wholePixels(box(-3, -1, 500, 239.5), FILM)).toEqual(box(0, 0, 400, 240));
  });

  it("end at the film's edge where they end near to it", () => {
    expect(snapped(box(3, 9, 396.5, 200), FILM, 4)).toEqual(box(0, 9, 400, 200));
    expect(snapped(box(5, 4, 300, 236), FILM, 4)).toEqual(box(5, 0, 300, 240));
  });

  it("are added in the middle, one below the other, until the film ends", () => {
    const masks = new Masks(FILM);
    for (let at = 0; at < 60; at += 1) masks.add(`box ${at}`);
    const [first, second] = masks.all;
    expect(second?.box.y_min).toBeGreaterThanOrEqual(first?.box.y_max ?? Number.NaN);
    expect(Math.max(...masks.all.map((each) => each.box.y_max))).toBe(FILM.height);
    expect(masks.inHand).toBe("box 59");
  });

  it("are moved within the film, whole or by their edges", () => {
    const masks = new Masks(FILM);
    masks.put("one", box(10, 10, 60, 30));
    masks.move({ x: -50, y: 0 }, "box");
    expect(masks.all[0]?.box).toEqual(box(0, 10, 50, 30));
    masks.move({ x: 10, y: 0 }, "end");
    masks.move({ x: 0, y: -4 }, "start");
    expect(masks.all[0]?.box).toEqual(box(0, 6, 60, 30));
    masks.move({ x: -1000, y: 0 }, "end");
    expect(masks.all[0]?.box.x_max).toBeGreaterThan(0);
  });

  it("are undone step by step: keys that follow each other on one box are one step", () => {
    const masks = new Masks(FILM);
    masks.put("one", box(10, 10, 60, 30));
    for (let at = 0; at < 5; at += 1) masks.move({ x: 1, y: 0 }, "box");
    masks.put("two", box(100, 100, 120, 120));
    masks.undo();
    expect(masks.all).toEqual([{ uid: "one", box: box(15, 10, 65, 30) }]);
    masks.undo();
    expect(masks.all[0]?.box).toEqual(box(10, 10, 60, 30));
    masks.undo();
    expect(masks.all).toEqual([]);
    expect(masks.canUndo).toBe(false);
    masks.undo();
    expect(masks.all).toEqual([]);
  });

  it("come back after they were taken away or cleared", () => {
    const masks = new Masks(FILM);
    masks.put("one", box(10, 10, 60, 30));
    masks.put("two", box(70, 10, 90, 30));
    masks.takeNext();
    expect(masks.inHand).toBe("one");
    masks.remove();
    expect(masks.inHand).toBe("two");
    masks.undo();
    masks.clear();
    masks.clear();
    masks.undo();
    expect(masks.all.map(({ uid }) => uid)).toEqual(["one", "two"]);
  });

  it("are suggested where print was found, until they are taken or left, and again once that is undone", () => {
    const masks = new Masks(FILM);
    const found = ["one", "two", "three"].map((uid, at) => ({
      uid,
      box: box(at * 50, 0, at * 50 + 40, 9.5),
    }));
    const left = new Set(["three"]);
    const suggested = () => stillSuggested(found, masks.all, left).map(({ uid }) => uid);
    expect(suggested()).toEqual(["one", "two"]);
    masks.putAll(found.slice(0, 2));
    expect(suggested()).toEqual([]);
    expect(masks.all.map((each) => each.box.y_max)).toEqual([10, 10]);
    expect(masks.inHand).toBe("two");
    masks.move({ x: 1, y: 0 }, "box");
    expect(suggested()).toEqual([]);
    masks.undo();
    masks.undo();
    expect(suggested()).toEqual(["one", "two"]);
    masks.putAll([]);
    expect(masks.canUndo).toBe(false);
  });

  it("tell how much of the film they cover, what lies below two of them once", () => {
    const masks = new Masks(FILM);
    expect(masks.share()).toBe(0);
    masks.put("one", box(0, 0, 200, 120));
    masks.put("two", box(100, 60, 300, 180));
    expect(masks.share()).toBeCloseTo((2 * 200 * 120 - 100 * 60) / (400 * 240), 10);
  });
});

import { expect, it } from "vitest";
import { neighbour } from "../src/look-sheet/neighbour";

/** Two rows of three cards, then a row of one below another heading. */
const boxes = [0, 1, 2, 3, 4, 5, 6].map((number) => ({
  x: (number % 3) * 100,
  y: Math.floor(number / 3) * 200 + (number === 6 ? 60 : 0),
}));

it("leads left and right in reading order, and stays at both ends", () => {
  expect([0, 1, 3].map((at) => neighbour(boxes, at, "left"))).toEqual([0, 0, 2]);
  expect([2, 5, 6].map((at) => neighbour(boxes, at, "right"))).toEqual([3, 6, 6]);
});

it("leads up and down by place, to the nearest where the next row is shorter", () => {
  expect([0, 1, 2].map((at) => neighbour(boxes, at, "down"))).toEqual([3, 4, 5]);
  expect([3, 5, 6].map((at) => neighbour(boxes, at, "down"))).toEqual([6, 6, 6]);
  expect([0, 4, 6].map((at) => neighbour(boxes, at, "up"))).toEqual([0, 1, 3]);
});

it("stays where there is nothing", () => {
  expect(neighbour([], -1, "down")).toBe(-1);
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Action } from "../src/reading-room/actions";
import { desk } from "./scene";

const measure: Action = { kind: "tool", tool: "measure" };
const right: Action = { kind: "nudge", x: 1, y: 0 };
const HEART = { from: { x: 200, y: 500 }, to: { x: 600, y: 500 } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("only suggests a line: a drag after the key leaves no stray one", async () => {
  const { room, view, saved } = await desk();
  room.perform(measure);
  expect(view.suggested).not.toBeNull();
  expect(room.state.said).toContain("Drag a line");
  view.setRulers([HEART]);
  room.films.lines.measured();
  expect(room.state.said).toBeNull();
  room.perform(measure);
  expect(view.suggested).not.toBeNull();
  expect(view.lines).toEqual([HEART]);
  room.perform({ kind: "walk", by: 1 });
  expect(saved.map(({ change }) => change.payload)).toEqual([{ lines: [[200, 500, 600, 500]] }]);
});

it("takes the suggested line by an arrow or Enter, and gives it up by the key that deletes", async () => {
  const { room, view, saved } = await desk();
  room.perform(measure);
  room.perform(right);
  const [first] = view.lines;
  room.perform(right);
  expect(view.lines).toEqual([{ ...first, to: { x: (first?.to.x ?? 0) + 1, y: first?.to.y } }]);
  room.perform(measure);
  room.perform({ kind: "delete-region" });
  expect([view.suggested, view.lines.length]).toEqual([null, 1]);
  room.perform(measure);
  room.perform({ kind: "done" });
  expect([view.suggested, view.lines.length, view.inHand]).toEqual([null, 2, 1]);
  expect(saved.at(-1)?.change.payload).toMatchObject({ lines: [{}, {}] });
});

it("hides the lines with the regions while the key is held", async () => {
  const { room, view } = await desk();
  room.perform({ kind: "hide-regions" });
  expect(view.showsRulers).toBe(false);
  room.released({ kind: "hide-regions" });
  expect(view.showsRulers).toBe(true);
});

it("says between two clicks where the line ends, and no more once it does", async () => {
  const { room, view } = await desk();
  room.perform(measure);
  room.films.lines.begun();
  expect(room.state.said).toBe("Click where the line ends. Esc: no line.");
  view.setRulers([HEART]);
  room.films.lines.measured();
  expect(room.state.said).toBeNull();
});

it("leaves the keys to a region that is drawn or redrawn", async () => {
  const { room, view } = await desk();
  view.setRulers([HEART]);
  room.perform(measure);
  room.perform({ kind: "add-region" });
  expect(room.state.tool).toBe("window");
  for (let times = 0; times < 2; times++) {
    room.perform(right);
    vi.advanceTimersByTime(1000);
    expect(room.state.said).toContain("Arrow keys move it");
  }
  expect(view.lines).toEqual([HEART]);
  expect(room.state.reading.drawn_regions).toHaveLength(1);
  room.perform({ kind: "delete-region" });
  expect(room.state.said).toBeNull();
  expect([room.state.reading.drawn_regions, view.lines]).toEqual([[], [HEART]]);
  room.perform(measure);
  room.perform({ kind: "redraw" });
  expect(room.state.tool).toBe("window");
});

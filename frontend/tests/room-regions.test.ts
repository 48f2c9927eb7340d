import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action } from "../src/reading-room/actions";
import {
  letterAt,
  partsOf,
  partsOfWording,
  pointsNowhere,
  withoutBoxes,
} from "../src/reading-room/region-items";
import { drawRegion } from "../src/reading-room/regions";
import { completion, desk, reading, region, step } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const fits: Action = { kind: "verdict", verdict: "fits" };
const nudge = (x: number, y: number): Action => ({ kind: "nudge", x, y });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("regions", () => {
  it("are told apart by letters, however many a step has", () => {
    expect([0, 1, 25, 26, 51, 52, 701, 702].map(letterAt).join(" ")).toBe("a b z aa az ba zz aaa");
  });

  it("are missing where the text names none, not where too many were left out", () => {
    const none = step("a1", 1, []);
    expect(pointsNowhere({ ...none, text: "The heart is normal" })).toBe(true);
    expect(pointsNowhere({ ...none, text: "Nodules at [1, 2, 3, 4] and [5, 6, 7, 8]" })).toBe(false);
    expect(pointsNowhere(step("a1", 1, [region("a1r", 1)]))).toBe(false);
  });

  it("are drawn for the step with the focus, for all by B, for none while Space is held", async () => {
    const { room, view } = await desk();
    const shown = () => view.marks.map((mark) => mark.uid);
    expect(shown()).toEqual(["a1r"]);
    room.perform({ kind: "walk", by: 1 });
    expect(shown()).toEqual(["a2r"]);
    room.perform({ kind: "all-regions" });
    expect(shown()).toEqual(["a1r", "a2r"]);
    room.perform({ kind: "hide-regions" });
    expect(shown()).toEqual([]);
    room.showRegionsAgain();
    expect(shown()).toEqual(["a1r", "a2r"]);
  });

  it("belong to the focused side, dashed on B", async () => {
    const { room, view } = await desk();
    room.perform({ kind: "swap" });
    expect(view.marks).toMatchObject([{ uid: "b1r", dashed: true, label: "1", colour: 1 }]);
  });

  it("preview their step, and give it the focus when chosen", async () => {
    const { room, view } = await desk();
    room.walking.hoverRegion("a2r");
    expect(view.marks.map((mark) => mark.uid)).toEqual(["a1r", "a2r"]);
    room.walking.toRegion("a2r");
    expect(room.state.place).toMatchObject({ step: "a2" });
    expect(view.broughtIntoView).toHaveLength(2);
  });

  it("keep the model's box beside the redrawn one", async () => {
    const { room, view } = await desk();
    room.perform({ kind: "redraw" });
    expect(view.drawing).toBe("a1r");
    const box = { x_min: 10, y_min: 20, x_max: 30, y_max: 40 };
    room.regionDrawn("a1r", box);
    expect(view.drawing).toBeNull();
    expect(view.marks).toMatchObject([{ box, original: { x_min: 100 }, adjustable: true }]);
  });

  it("keep the redrawn box when F says that it fits, and go on as F does elsewhere", async () => {
    const { room, saved } = await desk();
    room.perform(points(4));
    room.perform({ kind: "redraw" });
    room.regionDrawn("a1r", { x_min: 10, y_min: 20, x_max: 30, y_max: 40 });
    expect(room.state.place).toMatchObject({ step: "a1" });
    room.perform(fits);
    expect(room.state.reading.region_annotations).toMatchObject([{ verdict: "adjusted", x_min: 10 }]);
    expect(room.state.place).toMatchObject({ step: "a2" });
    expect(saved).toHaveLength(2);
  });

  it("count as judged when redrawing is finished by Enter, so that the next digit means the next step", async () => {
    for (const finish of [{ kind: "done" }, fits, { kind: "redraw" }] as const) {
      const { room } = await desk();
      room.perform(points(2));
      room.perform({ kind: "redraw" });
      room.perform(nudge(5, 0));
      room.perform(finish);
      room.perform(points(4));
      expect(room.state.reading.step_ratings).toMatchObject([
        { step: "a1", plausibility: 2 },
        { step: "a2", plausibility: 4 },
      ]);
      expect(room.state.reading.region_annotations).toMatchObject([{ verdict: "adjusted", x_min: 105 }]);
    }
  });

  it("are not judged by Enter where nothing was moved, and are as they were after Escape", async () => {
    const { room } = await desk();
    room.perform({ kind: "redraw" });
    room.perform({ kind: "done" });
    expect(room.state).toMatchObject({ drawing: "a1r", said: expect.stringContaining("was not moved") });
    room.perform(nudge(5, 0));
    vi.advanceTimersByTime(1000);
    room.perform(nudge(5, 0));
    room.perform({ kind: "cancel" });
    expect(room.state).toMatchObject({ drawing: null, nudged: null });
    expect(room.state.reading.region_annotations).toEqual([]);
  });

  it("are all drawn while a vote has the focus, each with its side's name", async () => {
    const missed_findings = [{ uid: "f", completion: "completion-a", text: "nodule" }];
    const box = { x_min: 1, y_min: 1, x_max: 9, y_max: 9 };
    const drawn_regions = [{ uid: "fr", step: null, missed_finding: "f", first_read: null, ...box }];
    const { room, view } = await desk(reading({ part: { missed_findings, drawn_regions } }));
    room.goTo({ kind: "vote", side: "a", question: "grounded" });
    expect(view.marks.map(({ label, dashed }) => [label, dashed])).toEqual([
      ["A1", false],
      ["A2", false],
      ["B1", true],
      ["B2", true],
    ]);
    room.walking.toRegion("b2r");
    expect(room.state.place).toMatchObject({ side: "b", step: "b2" });
  });

  it("are the outputs' own at a vote, whatever the reader made of them", async () => {
    const { room, view } = await desk();
    const told = view.marks.find(({ uid }) => uid === "a1r")?.box;
    room.regionDrawn("a1r", { x_min: 10, y_min: 20, x_max: 30, y_max: 40 });
    room.judgeRegion("b1r", "wrong");
    room.change(
      drawRegion("own", { kind: "step", uid: "a2" }, { x_min: 10, y_min: 20, x_max: 30, y_max: 40 }),
    );
    expect(room.state.reading.drawn_regions).toHaveLength(1);
    room.goTo({ kind: "vote", side: "a", question: "grounded" });
    expect(view.marks.map(({ label }) => label)).toEqual(["A1", "A2", "B1", "B2"]);
    expect(view.marks[0]).toMatchObject({ box: told, original: null, wrong: false });
    expect(view.marks[2]).toMatchObject({ wrong: false });
  });

  it("take the model's own box again by a click on fits, or by undo", async () => {
    for (const back of ["click", "undo"]) {
      const { room } = await desk();
      room.regionDrawn("a1r", { x_min: 10, y_min: 20, x_max: 30, y_max: 40 });
      if (back === "click") room.judgeRegion("a1r", "fits");
      else room.perform({ kind: "undo" });
      expect(room.state.reading.region_annotations.map((made) => made.x_min)).toEqual(
        back === "click" ? [null] : [],
      );
    }
  });

  it("are judged once the reader's own one is let go of: F says so, and Enter goes on", async () => {
    const { room } = await desk();
    room.change(
      drawRegion("own", { kind: "step", uid: "a1" }, { x_min: 10, y_min: 20, x_max: 30, y_max: 40 }),
    );
    room.perform(points(4));
    room.goTo({ kind: "step", side: "a", step: "a1", region: "own", question: null });
    room.perform(fits);
    expect(room.state.said).toMatch(/^The region in hand is your own: Enter goes on/);
    expect(room.state.reading.region_annotations).toEqual([]);
    room.perform({ kind: "done" });
    expect(room.state.place).toMatchObject({ step: "a1", region: "a1r" });
    room.perform(fits);
    expect(room.state.reading.region_annotations).toMatchObject([{ region: "a1r", verdict: "fits" }]);
  });

  it("have the focus next once the step of the reader's own one has its points", async () => {
    const { room } = await desk();
    room.change(
      drawRegion("own", { kind: "step", uid: "a1" }, { x_min: 10, y_min: 20, x_max: 30, y_max: 40 }),
    );
    room.goTo({ kind: "step", side: "a", step: "a1", region: "own", question: null });
    room.perform(points(4));
    expect(room.state.place).toMatchObject({ step: "a1", region: "a1r" });
    room.perform(fits);
    expect(room.state.place).toMatchObject({ step: "a2" });
  });

  it("have no grips in a signed reading", async () => {
    const made = { region: "a1r", verdict: "adjusted" as const, x_min: 1, y_min: 2, x_max: 30, y_max: 40 };
    const signed = { signed_at: "2026-11-23T10:00:00Z", region_annotations: [made] };
    const { view } = await desk(reading({ part: signed }));
    expect(view.marks).toMatchObject([{ uid: "a1r", adjustable: false }]);
  });

  it("have no grips while a further one is drawn, which may begin on them", async () => {
    const { room, view } = await desk();
    room.perform({ kind: "redraw" });
    room.perform(nudge(5, 0));
    room.perform({ kind: "done" });
    room.perform({ kind: "walk", by: -1 });
    expect(view.marks).toMatchObject([{ uid: "a1r", adjustable: true }]);
    room.perform({ kind: "add-region" });
    expect(view.marks).toMatchObject([{ uid: "a1r", adjustable: false }]);
    room.perform({ kind: "cancel" });
    expect(view.marks).toMatchObject([{ uid: "a1r", adjustable: true }]);
  });

  it("stand in a step's text by their labels, unless boxes and regions do not match", () => {
    const told = { ...step("a1", 1, [region("r1"), region("r2", 2)]), text: "A [1, 2, 3, 4], B [5,6,7,8]." };
    expect(partsOf(told).map(({ text, label }) => label ?? text)).toEqual(["A ", "1a", ", B ", "1b", "."]);
    const short = { ...told, regions: told.regions.slice(1) };
    expect(partsOf(short)).toEqual([{ text: told.text, label: null }]);
    const shown = (wording: string) => partsOfWording(told, wording).map(({ text, label }) => label ?? text);
    expect(shown("B [1, 2, 3, 4] and [5,6,7,8]")).toEqual(["B ", "1a", " and ", "1b", ""]);
    expect(shown("B [1, 2, 3, 9] and [5,6,7,8]")).toEqual(["B [1, 2, 3, 9] and [5,6,7,8]"]);
    expect(shown("No box")).toEqual(["No box"]);
    expect(withoutBoxes(told.text)).toBe("A …, B ….");
  });

  it("are nudged by arrow keys, saved once when the keys rest", async () => {
    const { room, saved } = await desk();
    room.perform(nudge(1, 0));
    expect(room.state.nudged).toBeNull();
    room.perform({ kind: "redraw" });
    for (let i = 0; i < 5; i++) room.perform(nudge(1, 0));
    room.perform(nudge(0, -10));
    expect(saved).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(saved.map(({ change }) => change)).toEqual([
      {
        kind: "annotate_region",
        payload: { region: "a1r", verdict: "adjusted", box: [105, 190, 305, 390] },
      },
    ]);
  });

  it("without an area are marked, never hidden, and start in the middle when redrawn by keys", async () => {
    const flat = step("a1", 1, [region("r1", 1, { x_max: 100, problem: "no_area" })]);
    const { room, view } = await desk(reading({ part: { completions: [completion("a", [flat])] } }));
    expect(view.marks).toMatchObject([{ uid: "r1", flawed: true }]);
    room.perform({ kind: "redraw" });
    room.perform(nudge(1, 0));
    expect(view.marks).toMatchObject([{ uid: "r1", original: null, flawed: false }]);
  });
});

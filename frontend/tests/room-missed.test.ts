import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action } from "../src/reading-room/actions";
import type { Place } from "../src/reading-room/place";
import { desk, reading } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const fits: Action = { kind: "verdict", verdict: "fits" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a missed finding", () => {
  it("is done with a missed finding at Enter, stays there so that it can be drawn, and goes on when it is", async () => {
    const { room, saved } = await desk();
    room.perform({ kind: "missed-finding" });
    const { writing } = room.state;
    if (writing?.field !== "finding") throw new Error("no finding is written");
    room.texts.write(writing, "enlarged aortic knob");
    room.perform({ kind: "done" });
    expect(room.state.writing).toBeNull();
    expect(saved.map(({ change }) => change.payload)).toMatchObject([{ text: "enlarged aortic knob" }]);
    expect(room.state.place).toMatchObject({ kind: "finding", finding: writing.uid });
    room.perform({ kind: "add-region" });
    expect(room.state.fresh?.owner).toMatchObject({ kind: "finding", uid: writing.uid });
    room.perform({ kind: "nudge", x: 1, y: 0 });
    room.perform({ kind: "done" });
    expect(room.state.reading.drawn_regions).toMatchObject([{ missed_finding: writing.uid }]);
    expect(room.state.place).toMatchObject({ kind: "step", step: "a1" });
  });

  it("means the output whose last item was rated just now, until the reader moves or turns the finding", async () => {
    const { room, saved } = await desk(reading({ numSteps: 1 }));
    for (const action of [points(4), fits, points(4), points(4), points(4), points(1)]) room.perform(action);
    expect(room.state.place).toMatchObject({ side: "b" });
    saved.length = 0;
    room.perform({ kind: "missed-finding" });
    const { writing: first } = room.state;
    expect(first).toMatchObject({ field: "finding", completion: "completion-a" });
    room.perform({ kind: "swap" });
    if (first) room.texts.end(first);
    const { writing } = room.state;
    expect(writing).toMatchObject({ field: "finding", completion: "completion-b" });
    expect(room.state.place).toMatchObject({ kind: "finding", side: "b" });
    if (writing) room.texts.write(writing, "nodule");
    room.perform({ kind: "done" });
    expect(saved.map(({ change }) => change.payload)).toMatchObject([{ completion: "completion-b" }]);
    room.perform({ kind: "done" });
    room.perform({ kind: "missed-finding" });
    expect(room.state.writing).toMatchObject({ completion: "completion-b" });
  });

  it("means it also once the reader has looked at the regions, and then a step on is a step on", async () => {
    const rated = async () => {
      const { room } = await desk(reading({ numSteps: 2 }));
      const step = [points(4), fits];
      for (const action of [...step, ...step, points(4), points(4), points(4), points(1)])
        room.perform(action);
      expect(room.state.place).toMatchObject({ side: "b", step: "b1" });
      room.perform({ kind: "hide-regions" });
      room.released({ kind: "hide-regions" });
      room.perform({ kind: "all-regions" });
      return room;
    };
    const naming = await rated();
    naming.perform({ kind: "missed-finding" });
    expect(naming.state.writing).toMatchObject({ field: "finding", completion: "completion-a" });
    const walking = await rated();
    walking.perform({ kind: "walk", by: 1 });
    expect(walking.state.place).toMatchObject({ side: "b", step: "b2" });
    walking.perform({ kind: "missed-finding" });
    expect(walking.state.writing).toMatchObject({ completion: "completion-b" });
  });

  it("goes on from a missed finding at Enter, and never away from a region that is still to be drawn", async () => {
    const missed_findings = [{ uid: "f", completion: "completion-a", text: "nodule" }];
    const { room } = await desk(reading({ part: { missed_findings } }));
    const finding: Place = { kind: "finding", side: "a", finding: "f" };
    room.goTo(finding);
    room.perform(points(3));
    expect(room.state.hint).toContain("Enter goes on");
    room.perform({ kind: "add-region" });
    room.perform({ kind: "done" });
    expect(room.state).toMatchObject({ place: finding, drawing: null });
    room.perform({ kind: "done" });
    expect(room.state.place).toMatchObject({ kind: "step", step: "a1" });
  });

  it("leads on from a missed finding that is deleted, to what its output lacks, else to its last item", async () => {
    const missed_findings = [{ uid: "f", completion: "completion-b", text: "nodule" }];
    const { room } = await desk(reading({ numSteps: 1, part: { missed_findings } }));
    room.goTo({ kind: "answer", side: "a", question: "harm:completion-a" });
    room.texts.dropFinding("f");
    expect(room.state.place).toMatchObject({ kind: "step", step: "b1" });
    for (const action of [points(4), fits, points(4), points(4), points(4), points(1)]) room.perform(action);
    for (const from of ["finding", "step"]) {
      room.texts.startFinding("b");
      const { writing } = room.state;
      if (writing?.field !== "finding") throw new Error("no finding is written");
      room.texts.write(writing, "nodule");
      room.perform({ kind: "done" });
      if (from === "step") room.goTo({ kind: "step", side: "b", step: "b1", region: "b1r", question: null });
      room.texts.dropFinding(writing.uid);
      expect(room.state.place).toMatchObject({ kind: "answer", question: "harm:completion-b" });
    }
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Change, Reading } from "../src/api/reading";
import { withChange } from "../src/reading-room/changes";
import type { Action } from "../src/reading-room/shortcuts";
import { History } from "../src/reading-room/undo";
import { type Desk, desk } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const undo: Action = { kind: "undo" };
const redo: Action = { kind: "redo" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ratings = ({ step_ratings, region_annotations, answer_ratings, votes }: Reading) => ({
  step_ratings: step_ratings
    .filter((row) => row.plausibility !== null || row.cannot_judge || row.note)
    .sort((a, b) => a.step.localeCompare(b.step)),
  region_annotations: [...region_annotations].sort((a, b) => a.region.localeCompare(b.region)),
  answer_ratings: answer_ratings.filter((row) => row.relevance !== null),
  votes,
});

/** What the server would hold after everything that was sent. */
function stored({ saved }: Desk, before: Reading): Reading {
  return saved.reduce((reading, { change }) => withChange(reading, change), before);
}

describe("undo and redo", () => {
  const deeds: readonly ((made: Desk) => void)[] = [
    ({ room }) => room.perform(points(3)),
    ({ room }) => room.perform({ kind: "verdict", verdict: "fits" }),
    ({ room }) => room.perform({ kind: "cannot-judge" }),
    ({ room }) => room.regionDrawn("a2r", { x_min: 10, y_min: 20, x_max: 30, y_max: 40 }),
    ({ room }) => {
      room.perform({ kind: "nudge", x: 1, y: 0 });
      room.perform({ kind: "resize", corner: "end", x: 0, y: 10 });
      vi.runAllTimers();
    },
    ({ room }) => {
      room.goTo({ kind: "step", side: "a", step: "a1", region: null, question: null });
      room.perform({ kind: "note" });
      const { writing } = room.state;
      if (writing === null) throw new Error("no field is open");
      room.texts.write(writing, "small");
      vi.runAllTimers();
      room.texts.write(writing, "small nodule");
      room.texts.end(writing);
    },
    ({ room }) => {
      room.perform({ kind: "swap" });
      room.perform(points(5));
    },
    ({ room }) => {
      room.goTo({ kind: "answer", side: "b", question: "relevance:completion-b" });
      room.perform(points(2));
    },
    ({ room }) => {
      room.goTo({ kind: "vote", side: "b", question: "overall:" });
      room.perform(points(1));
    },
  ];

  it("go back over everything and forth again, across the sides, and the server is told of each", async () => {
    const made = await desk();
    const before = made.room.state.reading;
    const stages: ReturnType<typeof ratings>[] = [ratings(before)];
    for (const deed of deeds) {
      deed(made);
      stages.push(ratings(made.room.state.reading));
    }
    expect(made.room.state.numUndoable).toBe(deeds.length);
    for (let at = deeds.length - 1; at >= 0; at--) {
      made.room.perform(undo);
      expect(ratings(made.room.state.reading)).toEqual(stages[at]);
      expect(made.room.state.said).toMatch(new RegExp(`^Undone: .+\\. ${at} left to undo\\.$`));
    }
    for (let at = 1; at <= deeds.length; at++) {
      made.room.perform(redo);
      expect(ratings(made.room.state.reading)).toEqual(stages[at]);
    }
    expect(made.room.state.said).toBe("Done again: vote “overall”. 0 left to redo.");
    expect(ratings(stored(made, before))).toEqual(stages.at(-1));
  });

  it("say what they did, and where", async () => {
    const { room } = await desk();
    room.perform({ kind: "swap" });
    room.perform(points(4));
    room.perform({ kind: "swap" });
    room.perform(undo);
    expect(room.state.said).toBe("Undone: plausibility of step 1 of output B. 0 left to undo.");
    expect(room.state.place).toMatchObject({ side: "b", step: "b1" });
    room.perform(undo);
    expect(room.state.said).toBe("Nothing to undo.");
    room.perform({ kind: "walk", by: 1 });
    expect(room.state.said).toBeNull();
  });

  it("forget what was undone once something else is done", async () => {
    const { room } = await desk();
    room.perform(points(4));
    room.perform(undo);
    expect(room.state).toMatchObject({ numUndoable: 0, numRedoable: 1 });
    room.perform(points(2));
    expect(room.state).toMatchObject({ numUndoable: 1, numRedoable: 0 });
    room.perform(redo);
    expect(room.state.said).toBe("Nothing to redo.");
    expect(room.state.reading.step_ratings).toMatchObject([{ plausibility: 2 }]);
  });

  it("change nothing while another film came onto the screen", async () => {
    const { room, view, saved } = await desk();
    room.perform(points(4));
    view.onScreen = "2.25.999";
    room.perform(undo);
    expect(saved).toHaveLength(1);
    expect(room.state.film.kind).toBe("wrong");
    expect(room.state.reading.step_ratings).toMatchObject([{ plausibility: 4 }]);
  });
});

describe("the history", () => {
  const place = { kind: "vote", side: "a", question: "overall:" } as const;
  const change = (seconds: number): Change => ({ kind: "add_active_time", payload: { seconds } });
  const deed = (n: number, group: string | null) => ({
    back: [change(-n)],
    forth: [change(n)],
    place,
    name: "time",
    group,
  });

  it("takes the deeds of one group in a row for one", () => {
    const history = new History();
    for (const n of [1, 2, 3]) history.add(deed(n, "a note"));
    history.add(deed(4, "another"));
    expect(history.numUndoable).toBe(2);
    history.undo();
    expect(history.undo()).toMatchObject({ back: [change(-1)], forth: [change(3)] });
  });

  it("does not go on with a group over what was undone", () => {
    const history = new History();
    history.add(deed(1, "a note"));
    history.undo();
    history.redo();
    history.add(deed(2, "a note"));
    expect(history.numUndoable).toBe(2);
  });
});

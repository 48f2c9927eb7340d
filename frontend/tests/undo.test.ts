import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Change, Reading } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { withChange } from "../src/reading-room/changes";
import { type Deeds, History, MOST_DEEDS, NO_DEEDS } from "../src/reading-room/undo";
import { type Desk, desk, reading } from "./scene";

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

  it("lead to where the reader was, and again to where the reader had gone on", async () => {
    const { room } = await desk();
    const begun = room.state.place;
    room.perform(points(4));
    room.perform({ kind: "verdict", verdict: "fits" });
    const onward = room.state.place;
    expect(onward).toMatchObject({ kind: "step", step: "a2" });
    room.perform(undo);
    const between = room.state.place;
    expect(between).toMatchObject({ step: "a1" });
    room.perform(undo);
    expect(room.state.place).toEqual(begun);
    room.perform(redo);
    expect(room.state.place).toEqual(between);
    room.perform(redo);
    expect(room.state.place).toEqual(onward);
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

describe("undo after a reload", () => {
  /** What the page that went away had kept, and the server has stored. */
  async function leftBy(...deeds: ((made: Desk) => void)[]) {
    const kept: Deeds[] = [NO_DEEDS];
    const made = await desk(reading(), { deeds: NO_DEEDS, keep: (now) => void kept.push(now) });
    for (const deed of deeds) deed(made);
    const last = kept.at(-1) ?? NO_DEEDS;
    return { now: made.room.state.reading, deeds: JSON.parse(JSON.stringify(last)) as Deeds };
  }
  const rates = (n: number) => (made: Desk) => made.room.perform(points(n));
  const loaded = (now: Reading, deeds: Deeds) => desk(now, { deeds, keep: () => {} });

  it("takes back and does again what the page before it did", async () => {
    const { now, deeds } = await leftBy(rates(3), rates(5), ({ room }) => room.perform(undo));
    const { room, saved } = await loaded(now, deeds);
    expect(room.state).toMatchObject({ numUndoable: 1, numRedoable: 1 });
    room.perform(redo);
    expect(room.state.reading.step_ratings).toMatchObject([{ plausibility: 5 }]);
    room.perform(undo);
    room.perform(undo);
    expect(room.state.reading.step_ratings).toMatchObject([{ plausibility: null }]);
    expect(room.state.said).toBe("Undone: plausibility of step 1 of output A. 0 left to undo.");
    expect(saved).toHaveLength(3);
  });

  it("leaves alone what another window changed since, says so, and goes on with what came before", async () => {
    const { now, deeds } = await leftBy(
      ({ room }) => room.perform({ kind: "swap" }),
      rates(4),
      ({ room }) => room.perform({ kind: "swap" }),
      rates(3),
    );
    const theirs = withChange(now, {
      kind: "rate_step",
      payload: { step: "a1", plausibility: 1, cannot_judge: false, note: "", edited_text: "" },
    });
    const { room, saved } = await loaded(theirs, deeds);
    room.perform(undo);
    expect(room.state.said).toBe(
      "Not undone: plausibility of step 1 of output A was changed elsewhere since, and stays as it is. 1 left to undo.",
    );
    expect(room.state.place).toMatchObject({ step: "a1" });
    expect(saved).toEqual([]);
    room.perform(undo);
    expect(room.state.said).toBe("Undone: plausibility of step 1 of output B. 0 left to undo.");
    expect(saved).toHaveLength(1);
  });

  it("does nothing again where another window changed it since", async () => {
    const { now, deeds } = await leftBy(rates(4), ({ room }) => room.perform(undo));
    const note = { step: "a1", plausibility: null, cannot_judge: false, note: "small", edited_text: "" };
    const { room, saved } = await loaded(withChange(now, { kind: "rate_step", payload: note }), deeds);
    room.perform(redo);
    expect(room.state.said).toMatch(/^Not done again: plausibility of step 1 of output A was changed/);
    expect(room.state).toMatchObject({ numUndoable: 0, numRedoable: 0 });
    expect(saved).toEqual([]);
  });

  it("brings a missed finding back with its regions, drawn in a page that is gone", async () => {
    const { now, deeds } = await leftBy(
      ({ room }) => {
        room.perform({ kind: "missed-finding" });
        const { writing } = room.state;
        if (writing === null) throw new Error("no field is open");
        room.texts.write(writing, "rib fracture");
        room.texts.end(writing);
        room.perform({ kind: "add-region" });
        room.regionDrawn(room.state.drawing ?? "", { x_min: 1, y_min: 2, x_max: 30, y_max: 40 });
      },
      ({ room }) => room.texts.dropFinding(room.state.reading.missed_findings[0]?.uid ?? ""),
    );
    expect(now.missed_findings).toEqual([]);
    const { room } = await loaded(now, deeds);
    room.perform(undo);
    expect(room.state.reading.missed_findings).toMatchObject([{ text: "rib fracture" }]);
    expect(room.state.reading.drawn_regions).toHaveLength(1);
    room.perform(redo);
    expect(room.state.reading.missed_findings).toEqual([]);
    expect(room.state.place).toMatchObject({ kind: "step", side: "a" });
  });
});

describe("the history", () => {
  const place = { kind: "vote", side: "a", question: "overall:" } as const;
  const change = (seconds: number): Change => ({ kind: "add_active_time", payload: { seconds } });
  const deed = (n: number, group: string | null) => ({
    back: [change(-n)],
    forth: [change(n)],
    place,
    onward: null,
    name: "time",
    group,
  });

  it("takes the deeds of one group in a row for one", () => {
    const history = new History();
    for (const n of [1, 2, 3]) history.add(deed(n, "a note"));
    history.add(deed(4, "another"));
    expect(history.numUndoable).toBe(2);
    history.wentBack(place);
    expect(history.next("back")).toMatchObject({ back: [change(-1)], forth: [change(3)] });
  });

  it("does not go on with a group over what was undone", () => {
    const history = new History();
    history.add(deed(1, "a note"));
    history.wentBack(place);
    history.wentForth();
    history.add(deed(2, "a note"));
    expect(history.numUndoable).toBe(2);
  });

  it("goes back so far and no further", () => {
    const history = new History();
    for (let n = 1; n <= MOST_DEEDS + 3; n++) history.add(deed(n, null));
    expect(history.numUndoable).toBe(MOST_DEEDS);
    expect(history.deeds.done[0]).toMatchObject({ forth: [change(4)] });
  });
});

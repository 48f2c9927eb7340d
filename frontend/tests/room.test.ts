import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Reading } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { gaps, leftToDo } from "../src/reading-room/gaps";
import { CRITERIA, completion, criterion, desk, firstRead, reading, region, step } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const fits: Action = { kind: "verdict", verdict: "fits" };
const wrong: Action = { kind: "verdict", verdict: "wrong" };
const next: Action = { kind: "walk", by: 1 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("passes over a G that is pressed out of habit where the next region has the focus by itself", async () => {
  const two = [region("a1r", 1), region("a1s", 2)];
  const a = completion("a", [step("a1", 1, two), step("a2", 2, [region("a2r", 1), region("a2s", 2)])]);
  const { room } = await desk(reading({ part: { completions: [a] } }));
  const further: Action = { kind: "next-region" };
  for (const action of [points(4), fits, further, fits, further]) room.perform(action);
  expect(room.state.reading.region_annotations.map(({ region: uid }) => uid)).toEqual(["a1r", "a1s"]);
  expect(room.state.place).toMatchObject({ step: "a2", region: "a2r" });
  room.perform(further);
  expect(room.state.place).toMatchObject({ step: "a2", region: "a2s" });
});

it("says of U, F and X that there is nothing where they mean nothing", async () => {
  const unpointed = completion("a", [step("a1", 1, [])]);
  const { room } = await desk(reading({ part: { completions: [unpointed] } }));
  for (const action of [fits, wrong]) {
    room.perform(action);
    expect(room.state.said).toMatch(/^Nothing to judge here/);
  }
  for (let at = 0; room.state.place.kind !== "answer" && at < 9; at++) room.perform(next);
  room.perform({ kind: "cannot-judge" });
  expect(room.state.said).toMatch(/^Nothing to pass over here/);
  expect(room.state.reading.step_ratings).toEqual([]);
});

describe("a case by keys alone", () => {
  const withFirstRead = (part: Partial<Reading>): Partial<Reading> => ({
    ...part,
    stage: "first_read",
    completions: [],
    first_read: {
      form: "findings",
      choices: [],
      findings_offered: ["No Finding", "Cardiomegaly"],
      first: null,
      after_reveal: null,
    },
  });

  it("says no longer how keys move a region of the first read once the outputs are shown", async () => {
    const told = reading();
    const { room } = await desk({ ...told, ...withFirstRead({}) });
    room.perform({ kind: "add-region" });
    room.perform({ kind: "nudge", x: 1, y: 0 });
    vi.runAllTimers();
    expect(room.state.said).toContain("Arrow keys move it");
    room.reveal({ ...told, stage: "rating", first_read: room.state.reading.first_read });
    expect(room.state.said).toBeNull();
  });

  it("goes back at Esc from what is thought after the reveal, to where the reader was", async () => {
    const { first_read } = withFirstRead({});
    if (!first_read) throw new Error("no first read is asked");
    const said = { ...first_read, first: firstRead({ findings: ["Cardiomegaly"] }) };
    const { room } = await desk(reading({ part: { first_read: said } }));
    room.perform(next);
    const { place } = room.state;
    room.perform({ kind: "change-of-mind" });
    expect(room.state.place).toMatchObject({ kind: "first-read", part: "answer" });
    expect(room.state.hint).toContain("what you think of the film");
    room.perform({ kind: "change-of-mind" });
    room.perform({ kind: "note" });
    room.perform({ kind: "cancel" });
    expect(room.state).toMatchObject({ writing: null, place: { kind: "first-read", part: "impression" } });
    room.perform({ kind: "cancel" });
    expect(room.state).toMatchObject({ place, hint: null });
    room.perform(points(5));
    expect(room.state.reading.step_ratings).toMatchObject([{ step: "a2", plausibility: 5 }]);
    expect(room.state.reading.first_read?.after_reveal).toBeNull();
  });

  for (const [numSides, budget] of [
    [1, 17],
    [2, 33],
  ] as const) {
    it(`takes ${budget} keys for ${numSides} of five steps, first read and signature included`, async () => {
      const told = reading({ numSides, numSteps: 5 });
      const { room } = await desk({ ...told, ...withFirstRead({}) });
      let numKeys = 0;
      const press = (...actions: Action[]): void => {
        for (const action of actions) {
          numKeys += 1;
          room.perform(action);
        }
      };
      press(points(2));
      expect(gaps(room.state.reading)).toEqual([]);
      numKeys += 1;
      room.reveal({ ...told, stage: "rating", first_read: room.state.reading.first_read });
      for (let side = 0; side < numSides; side++) {
        for (let i = 0; i < 5; i++) press(points(4), fits);
        press(points(5), points(4), points(3), points(1));
      }
      if (numSides === 2) press(points(1), points(4));
      expect(gaps(room.state.reading)).toEqual([]);
      numKeys += 1;
      expect(numKeys).toBe(budget);
      const rating = { relevance: 5, correctness: 4, completeness: 3, harm: "none" };
      expect(room.state.reading.answer_ratings).toMatchObject(Array(numSides).fill(rating));
      expect(room.state.reading.votes).toEqual(
        numSides === 1
          ? []
          : [
              { kind: "grounded", side: "a" },
              { kind: "overall", side: "both_bad" },
            ],
      );
    });
  }

  it("moves on when the step is complete, by the same rule when it was complete before", async () => {
    const { room } = await desk();
    room.perform(points(3));
    expect(room.state.place).toMatchObject({ step: "a1" });
    room.perform(fits);
    expect(room.state.place).toMatchObject({ step: "a2" });
    for (const corrected of [points(5), fits, wrong]) {
      room.perform({ kind: "walk", by: -1 });
      room.perform(corrected);
      expect(room.state.place).toMatchObject({ step: "a2" });
    }
  });

  it("says what a digit put in the place of a rating that stood, as after a note on a rated step", async () => {
    const { room } = await desk();
    for (const action of [points(4), fits, points(3), fits]) room.perform(action);
    expect(room.state.said).toBeNull();
    room.perform({ kind: "walk", by: -1 });
    room.perform({ kind: "note" });
    room.perform({ kind: "done" });
    room.perform(points(3));
    expect(room.state.said).toBeNull();
    room.perform({ kind: "walk", by: -1 });
    room.perform(points(5));
    expect(room.state.said).toBe("Step 2 of output A: 3 became 5. Ctrl Z takes it back.");
    room.perform({ kind: "undo" });
    expect(room.state.reading.step_ratings).toContainEqual(
      expect.objectContaining({ step: "a2", plausibility: 3 }),
    );
    room.perform({ kind: "cannot-judge" });
    expect(room.state.said).toBe("Step 2 of output A: 3 became “cannot judge”. Ctrl Z takes it back.");
    room.perform(points(4));
    expect(room.state.said).toBeNull();
    room.perform({ kind: "walk", by: -1 });
    room.perform(points(2));
    expect(room.state.said).toBe("relevance of output A: 4 became 2. Ctrl Z takes it back.");
  });

  it("absorbs a J that follows going on by itself, and only that one", async () => {
    const { room } = await desk();
    for (const action of [points(4), fits, next, points(3)]) room.perform(action);
    expect(room.state.reading.step_ratings).toMatchObject([
      { step: "a1", plausibility: 4 },
      { step: "a2", plausibility: 3 },
    ]);
    for (const action of [fits, next, next]) room.perform(action);
    expect(room.state.place).toMatchObject({ kind: "answer", question: "correctness:completion-a" });
  });

  it("does not absorb a J after a click that led elsewhere", async () => {
    const { room } = await desk();
    for (const action of [points(4), fits]) room.perform(action);
    room.walking.toRegion("a1r");
    room.perform(next);
    expect(room.state.place).toMatchObject({ step: "a2" });
  });

  it("does not absorb a J after another key", async () => {
    const { room } = await desk(reading({ numSteps: 3 }));
    for (const action of [points(4), fits, points(3), next]) room.perform(action);
    expect(room.state.place).toMatchObject({ step: "a3" });
  });

  it("goes over from A to B by itself, says so, and takes the crossing back with the key that made it", async () => {
    const { room } = await desk(reading({ numSteps: 1 }));
    for (const action of [points(4), fits, points(4), points(4), points(4), points(1)]) room.perform(action);
    expect(room.state.place).toMatchObject({ side: "b", step: "b1" });
    expect(room.state.turn).toBe("Output A is complete. You are on output B now.");
    room.perform({ kind: "undo" });
    expect(room.state.place).toMatchObject({ side: "a", question: "harm:completion-a" });
    expect(room.state.reading.answer_ratings).toMatchObject([{ harm: "" }]);
    room.perform({ kind: "redo" });
    expect(room.state.place).toMatchObject({ side: "b", step: "b1" });
    for (const action of [points(4), fits, points(4), points(4), points(4), points(1)]) room.perform(action);
    expect(room.state.place).toMatchObject({ kind: "vote", question: "grounded:" });
    expect(room.state.hint).toBe("Both outputs are rated. Now for both together.");
  });

  it("rates nothing twice by a key too many: it lands on what is open, never on what is rated", async () => {
    const { room } = await desk(reading({ numSteps: 1 }));
    const answers = [points(4), fits, points(4), points(4), points(4), points(1)];
    for (const action of [...answers, points(2)]) room.perform(action);
    expect(room.state.reading.answer_ratings).toMatchObject([{ completeness: 4, harm: "none" }]);
    expect(room.state.reading.step_ratings).toMatchObject([{ step: "a1" }, { step: "b1", plausibility: 2 }]);
  });

  it("goes back to A, where B was read first and A is left open", async () => {
    const { room } = await desk(reading({ numSteps: 1 }));
    room.perform({ kind: "swap" });
    for (const action of [points(4), fits, points(4), points(4), points(4), points(2)]) room.perform(action);
    expect(room.state.place).toMatchObject({ side: "a", step: "a1" });
  });

  it("takes a correction at the end of A after the reader has walked back", async () => {
    const { room } = await desk(reading({ numSteps: 1 }));
    for (const action of [points(4), fits, points(4), points(4), points(4)]) room.perform(action);
    room.perform({ kind: "walk", by: -1 });
    room.perform({ kind: "walk", by: -1 });
    room.perform(points(1));
    expect(room.state.reading.answer_ratings).toMatchObject([{ correctness: 1 }]);
  });

  it("goes through the regions of a step before it leaves it", async () => {
    const two = step("a1", 1, [region("r1"), region("r2", 2)]);
    const { room } = await desk(reading({ part: { completions: [completion("a", [two])] } }));
    room.perform(fits);
    expect(room.state.place).toMatchObject({ step: "a1", region: "r2" });
    room.perform({ kind: "verdict", verdict: "wrong" });
    room.perform({ kind: "cannot-judge" });
    expect(room.state.place).toMatchObject({ kind: "answer", question: "relevance:completion-a" });
  });

  it("undoes the last change and goes back to where it was made", async () => {
    const { room, saved } = await desk();
    room.perform(points(3));
    room.perform(fits);
    room.perform({ kind: "undo" });
    expect(room.state.reading.region_annotations).toEqual([]);
    expect(room.state.place).toMatchObject({ step: "a1" });
    expect(saved.at(-1)?.change).toMatchObject({ kind: "annotate_region", payload: { verdict: null } });
    room.perform({ kind: "undo" });
    expect(room.state.reading.step_ratings).toMatchObject([{ plausibility: null }]);
  });

  it("saves a note while it is written, and not again when it is left", async () => {
    const { room, saved } = await desk();
    room.perform({ kind: "note" });
    const { writing } = room.state;
    expect(writing).toMatchObject({ field: "note", step: { uid: "a1" } });
    if (writing === null) return;
    room.texts.write(writing, "blunt");
    room.texts.write(writing, "blunted angle ");
    vi.advanceTimersByTime(1000);
    room.texts.end(writing);
    expect(saved.map(({ change }) => change.payload)).toMatchObject([{ note: "blunted angle" }]);
    expect(room.state.writing).toBeNull();
  });

  it("stays on the step whose note is done, and goes on from a question that is answered in words", async () => {
    const words = criterion("words", { kind: "text", field: "", options: [] });
    const { room } = await desk(reading({ part: { criteria: [...CRITERIA, words] } }));
    const { place } = room.state;
    room.perform({ kind: "note" });
    room.perform({ kind: "done" });
    expect(room.state).toMatchObject({ writing: null, place });
    const question = "words:completion-a";
    room.goTo({ kind: "answer", side: "a", question });
    room.perform({ kind: "note" });
    const { writing } = room.state;
    if (writing?.field !== "text") throw new Error("no answer is written");
    room.perform({ kind: "done" });
    expect(room.state.place).toMatchObject({ question });
    room.perform({ kind: "note" });
    room.texts.write(writing, "too short");
    room.perform({ kind: "done" });
    expect(room.state.place).not.toMatchObject({ question });
  });

  it("takes words for which no field opened for none of its keys, until the typing pauses", async () => {
    const { room, saved } = await desk();
    room.goTo({ kind: "answer", side: "a", question: "correctness:completion-a" });
    expect(room.texts.takesInVain()).toBe(false);
    room.perform({ kind: "note" });
    expect(room.state).toMatchObject({ writing: null, said: expect.stringContaining("belongs to a step") });
    expect(room.texts.takesInVain()).toBe(true);
    vi.advanceTimersByTime(700);
    expect(room.texts.takesInVain()).toBe(true);
    vi.advanceTimersByTime(700);
    expect(room.texts.takesInVain()).toBe(true);
    vi.advanceTimersByTime(900);
    expect(room.texts.takesInVain()).toBe(false);
    expect(saved).toEqual([]);
  });

  it("pre-selects nothing", async () => {
    const { room, saved } = await desk();
    expect(saved).toEqual([]);
    expect(leftToDo(room.state.reading)).toBe("A step 1, A step 2, A relevance and 11 more");
  });

  it("asks for no step of a malformed output, but for its answer", async () => {
    const broken = completion("a", [step("a1", 1, [region("r1")])], { problems: ["no answer"] });
    const { room } = await desk(reading({ part: { completions: [broken] } }));
    expect(gaps(room.state.reading).map((gap) => gap.name)).toEqual([
      "relevance",
      "correctness",
      "completeness",
      "harm",
    ]);
  });
});

describe("a vote", () => {
  it("keeps the focus while the other output is looked at, so that a digit goes on meaning it", async () => {
    const { room } = await desk(reading({ numSteps: 1 }));
    for (let side = 0; side < 2; side++) {
      for (const action of [points(4), fits, points(4), points(4), points(4), points(2)])
        room.perform(action);
    }
    const before = room.state.place;
    expect(before).toMatchObject({ kind: "vote", side: "b" });
    room.perform({ kind: "swap" });
    expect(room.state.place).toEqual({ ...before, side: "a" });
    room.perform(points(1));
    expect(room.state.reading.step_ratings.map(({ plausibility }) => plausibility)).toEqual([4, 4]);
    expect(room.state.reading.votes).toEqual([{ kind: "grounded", side: "a" }]);
  });
});

describe("the film on screen", () => {
  it("goes with every change", async () => {
    const { room, saved } = await desk();
    room.perform(points(3));
    expect(saved.map(({ film }) => film)).toEqual(["2.25.1"]);
  });

  it("is waited for: until it is there, and when another one came, the keys are dead", async () => {
    const { room, view, saved } = await desk();
    view.answer = async () => "2.25.999";
    await room.loadFilm();
    expect(room.state.film.kind).toBe("wrong");
    expect(view.marks).toEqual([]);
    room.perform(points(3));
    room.perform(fits);
    room.addActiveTime(30);
    expect(saved).toEqual([]);

    view.answer = async () => "2.25.1";
    await room.loadFilm();
    room.perform(points(3));
    expect(saved).toHaveLength(1);
  });

  it("is asked for at the moment of each change", async () => {
    const { room, view, saved } = await desk();
    view.onScreen = null;
    room.perform(points(3));
    expect(saved).toEqual([]);
    expect(room.state.film.kind).toBe("wrong");
  });

  it("may still be looked at in a signed reading, which takes no change", async () => {
    const { room, saved } = await desk(reading({ part: { signed_at: "2026-11-23T10:00:00Z" } }));
    room.perform(points(3));
    room.perform({ kind: "walk", by: 1 });
    expect(saved).toEqual([]);
    expect(room.state.place).toMatchObject({ step: "a2" });
  });
});

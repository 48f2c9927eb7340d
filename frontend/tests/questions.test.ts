import { describe, expect, it } from "vitest";
import type { Finding, Reading } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { gaps } from "../src/reading-room/gaps";
import { marksFor } from "../src/reading-room/marks";
import { optionFor } from "../src/reading-room/questions";
import { CRITERIA, criterion, desk, firstRead, reading, region, step } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const next: Action = { kind: "walk", by: 1 };
const named = (...values: string[]) => values.map((value) => ({ value, label: value, anchor: "" }));

function asking(...own: Parameters<typeof criterion>[]): Partial<Reading> {
  return { criteria: own.map(([key, part]) => criterion(key, { field: "", ...part })) };
}

const names = (told: Reading): string[] => gaps(told).map(({ name }) => name);

describe("the reader study's own questions", () => {
  it("are asked of each step, region, answer, between two, and once of the case", async () => {
    const part = asking(
      ["error", { target: "step" }],
      ["edge", { target: "region" }],
      ["tone", { target: "answer" }],
      ["clearer", { target: "vote" }],
      ["quality", { target: "case" }],
    );
    const { room } = await desk(reading({ numSteps: 1, part }));
    expect(names(room.state.reading)).toEqual([
      "A step 1 error",
      "A step 1 edge",
      "A tone",
      "B step 1 error",
      "B step 1 edge",
      "B tone",
      "clearer",
      "quality",
    ]);
    for (let i = 1; i <= 8; i++) room.perform(points(1 + (i % 5)));
    expect(names(room.state.reading)).toEqual([]);
    expect(room.state.reading.criterion_ratings).toMatchObject([
      { criterion: "error", step: "a1", region: null, value: 2 },
      { criterion: "edge", step: null, region: "a1r", value: 3 },
      { criterion: "tone", completion: "completion-a", value: 4 },
      { criterion: "error", step: "b1", value: 5 },
      { criterion: "edge", region: "b1r", value: 1 },
      { criterion: "tone", completion: "completion-b", value: 2 },
      { criterion: "clearer", completion: null, step: null, region: null, value: 3 },
      { criterion: "quality", completion: null, value: 4 },
    ]);
  });

  it("of several choices take one more and one less, and wait for the reader to walk on", async () => {
    const part = asking(["what", { target: "answer", kind: "choices", options: named("x", "y", "z") }]);
    const { room } = await desk(reading({ numSides: 1, numSteps: 0, part }));
    for (const n of [1, 3, 1, 9]) room.perform(points(n));
    expect(room.state.reading.criterion_ratings).toMatchObject([{ value: ["z"] }]);
    expect(room.state.place).toMatchObject({ kind: "answer" });
    room.perform(points(3));
    expect(room.state.reading.criterion_ratings).toEqual([]);
    expect(names(room.state.reading)).toEqual(["what"]);
  });

  it("that may stay open are walked past and not missed", async () => {
    const part = asking(["tone", { target: "answer", is_required: false }], ["truth", { target: "answer" }]);
    const { room } = await desk(reading({ numSides: 1, numSteps: 0, part }));
    expect(names(room.state.reading)).toEqual(["truth"]);
    room.goTo({ kind: "answer", side: "a", question: "tone:completion-a" });
    room.perform(next);
    room.perform(points(2));
    expect(names(room.state.reading)).toEqual([]);
  });

  it("in words are written with T", async () => {
    const part = asking(["why", { target: "case", kind: "text", options: [] }]);
    const { room } = await desk(reading({ numSides: 1, numSteps: 0, part }));
    room.perform({ kind: "note" });
    const { writing } = room.state;
    expect(writing?.field).toBe("text");
    if (writing === null) return;
    room.texts.write(writing, "blurred ");
    room.texts.end(writing);
    expect(room.state.reading.criterion_ratings).toMatchObject([{ criterion: "why", value: "blurred" }]);
    room.perform({ kind: "undo" });
    expect(room.state.reading.criterion_ratings).toEqual([]);
  });

  it("leave out a built-in one that is not asked: no key answers it, and nothing misses it", async () => {
    const part = { criteria: CRITERIA.filter(({ key }) => key === "verdict" || key === "harm") };
    const { room, saved } = await desk(reading({ numSides: 1, numSteps: 1, part }));
    room.perform(points(4));
    room.perform({ kind: "cannot-judge" });
    expect(saved).toEqual([]);
    room.perform({ kind: "verdict", verdict: "fits" });
    room.perform(points(3));
    expect(names(room.state.reading)).toEqual([]);
    expect(room.state.reading.answer_ratings).toMatchObject([{ harm: "severe", relevance: null }]);
  });

  it("name the region where a step has several", () => {
    const edge = criterion("edge", { target: "region", field: "" });
    const told = reading({ numSides: 1, part: { criteria: [edge] } });
    const [output] = told.completions;
    const steps = [step("a1", 1, [region("r")]), step("a2", 2, [region("s"), region("t", 2)])];
    const found = gaps({ ...told, completions: output ? [{ ...output, steps }] : [] });
    expect(found.map(({ name }) => name)).toEqual(["step 1 edge", "region 2a edge", "region 2b edge"]);
  });

  it("take digits by number where the options are numbers, else by place", () => {
    const zeroToTwo = [0, 1, 2].map((value) => ({ value, label: String(value), anchor: "" }));
    const twoToFour = [2, 3, 4].map((value) => ({ value, label: String(value), anchor: "" }));
    expect(optionFor(criterion("s", { options: twoToFour }), 3)).toBe(3);
    expect(optionFor(criterion("s", { options: twoToFour }), 1)).toBeNull();
    expect(optionFor(criterion("s", { options: zeroToTwo }), 1)).toBe(0);
  });
});

describe("a first read", () => {
  it("toggles findings, counts in the tenth ones with Shift, and takes a change of mind as a second one", async () => {
    const findings_offered: Finding[] = [
      ...["No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion"],
      ...["Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax"],
      ...["Pleural Effusion", "Pleural Other", "Fracture", "Support Devices"],
    ] as Finding[];
    const part: Partial<Reading> = {
      stage: "first_read",
      completions: [],
      first_read: { form: "findings", choices: [], findings_offered, first: null, after_reveal: null },
    };
    const { room } = await desk(reading({ part }));
    for (const n of [2, 13, 2]) room.perform(points(n));
    room.perform(next);
    room.perform(points(4));
    expect(room.state.said).toBe(
      "The impression is written in words: T writes it, J goes on to how sure you are.",
    );
    room.perform(next);
    expect(room.state.said).toBeNull();
    room.perform(points(4));
    expect(room.state.reading.first_read?.first).toMatchObject({ findings: ["Fracture"], confidence: 4 });

    const told = reading({ part: { first_read: room.state.reading.first_read } });
    room.reveal(told);
    room.perform({ kind: "undo" });
    expect(room.state.said).toBe("Nothing to undo.");
    room.perform({ kind: "change-of-mind" });
    room.perform(points(1));
    expect(room.state.reading.first_read).toMatchObject({
      first: { findings: ["Fracture"] },
      after_reveal: { findings: ["No Finding"], confidence: 4 },
    });
    for (const [press, findings] of [
      [14, ["No Finding", "Support Devices"]],
      [3, ["Support Devices", "Cardiomegaly"]],
      [1, ["Support Devices", "No Finding"]],
    ] as const) {
      room.perform(points(press));
      expect(room.state.reading.first_read?.after_reveal).toMatchObject({ findings });
    }
    room.perform(next);
    room.perform(next);
    room.perform(points(2));
    expect(room.state.reading.first_read?.after_reveal).toMatchObject({ confidence: 2 });
    room.perform(next);
    expect(room.state.place).toMatchObject({ kind: "step", step: "a1" });
  });

  it("shows its regions with all regions of the outputs, and neither by itself nor for the keys", async () => {
    const first = firstRead({});
    const first_read = {
      form: "findings" as const,
      choices: [],
      findings_offered: [],
      first,
      after_reveal: null,
    };
    const box = { x_min: 1, y_min: 2, x_max: 30, y_max: 40 };
    const drawn = { uid: "d", step: null, missed_finding: null, first_read: "first" as const, ...box };
    const { room } = await desk(reading({ part: { first_read, drawn_regions: [drawn] } }));
    const labels = () => marksFor(room.state.reading, room.state).map(({ label }) => label);
    expect(labels()).toEqual(["1"]);
    room.perform({ kind: "all-regions" });
    expect(labels()).toEqual(["First read", "1", "2"]);
    expect(marksFor(room.state.reading, room.state)[0]).toMatchObject({ box, adjustable: false });
    room.walking.toRegion("d");
    expect(room.state.place).toMatchObject({ kind: "step", step: "a1" });
  });
});

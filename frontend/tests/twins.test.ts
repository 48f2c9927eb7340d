import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Reading, Side, Step } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { answerRating } from "../src/reading-room/changes";
import { marksFor } from "../src/reading-room/marks";
import { stepPlace } from "../src/reading-room/place";
import { colourOf, twinOf } from "../src/reading-room/twins";
import { CRITERIA, completion, criterion, desk, reading, region, step } from "./scene";

const asTwin: Action = { kind: "as-twin" };
const undo: Action = { kind: "undo" };
const fits: Action = { kind: "verdict", verdict: "fits" };
const points = (n: number): Action => ({ kind: "points", points: n });

const said = (uid: string, position: number, text: string, regions = [region(`${uid}r`)]): Step => ({
  ...step(uid, position, regions),
  text,
});
const elsewhere = region("b2r", 1, { x_min: 125 });
const A = [
  said("a1", 1, "The heart is enlarged with [100, 200, 300, 400]."),
  said("a2", 2, "There is a left consolidation."),
  said("a3", 3, "There is a right consolidation."),
];
const B = [
  said("b1", 1, "There is a right consolidation with [100, 200, 300, 400] ."),
  said("b2", 2, "the heart  is enlarged", [elsewhere]),
  said("b3", 3, "There is a nodule."),
];
const told = (a = A, b = B, part: Partial<Reading> = {}): Reading =>
  reading({ part: { completions: [completion("a", a), completion("b", b)], ...part } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the same statement in both outputs", () => {
  it("is found by its words, whatever its boxes, spaces, capitals and full stop, never by another side", () => {
    const here = told();
    const twins = [...A, ...B].map((each) => twinOf(here, each)?.uid ?? null);
    expect(twins).toEqual(["b2", null, "b1", "a3", "a1", null]);
  });

  it("is paired one to one where an output says a thing twice", () => {
    const b = [said("b1", 1, A[1]?.text ?? ""), said("b2", 2, A[1]?.text ?? "")];
    const here = told(A, b);
    expect(b.map((each) => twinOf(here, each)?.uid ?? null)).toEqual(["a2", null]);
    expect(twinOf(told([], b), b[0] as Step)).toBeNull();
  });

  it("is the one that points at the same place where an output says a thing twice", () => {
    const words = "There is a nodule.";
    const b = [said("b1", 1, words, [elsewhere]), said("b2", 2, words)];
    const here = told([said("a1", 1, words)], b);
    expect(b.map((each) => twinOf(here, each)?.uid ?? null)).toEqual([null, "a1"]);
    const both = told([said("a1", 1, words), said("a2", 2, words, [elsewhere])], b);
    expect(b.map((each) => twinOf(both, each)?.uid ?? null)).toEqual(["a2", "a1"]);
  });

  it("has one colour on both sides, on its card as on the film, and nothing else of the two has it", async () => {
    const here = told();
    expect([...A, ...B].map((each) => colourOf(here, each))).toEqual([1, 2, 3, 3, 1, 4]);
    const { room } = await desk(here);
    const [, heart] = B as [Step, Step];
    const marks = marksFor(here, { ...room.state, place: stepPlace("b", heart) });
    expect(marks.map(({ label, colour, dashed }) => [label, colour, dashed])).toEqual([["2", 1, true]]);
  });

  it("leaves colours by number where the two have no words in common", () => {
    const here = reading({ numSteps: 3 });
    const colours = here.completions.map(({ steps }) => steps.map((each) => colourOf(here, each)));
    expect(colours).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });
});

describe("a step is rated as its twin", () => {
  it("with the verdict on a region that lies alike from a share of nine tenths on", async () => {
    for (const [x_min, verdict] of [
      [110, "wrong"],
      [120, "wrong"],
      [121, undefined],
    ] as const) {
      const b = [said("b1", 1, "The heart is enlarged", [region("b1r", 1, { x_min })])];
      const { room } = await desk(
        told(A, b, {
          step_ratings: [
            { step: "a1", plausibility: 2, cannot_judge: false, note: "", edited_text: "Box [1, 2, 3, 4]" },
          ],
          region_annotations: [
            { region: "a1r", verdict: "wrong", x_min: null, y_min: null, x_max: null, y_max: null },
          ],
        }),
      );
      room.rateAsTwin("b", b[0] as Step);
      const { region_annotations, step_ratings } = room.state.reading;
      expect(region_annotations.find(({ region: uid }) => uid === "b1r")?.verdict).toBe(verdict);
      // A wording may hold the boxes themselves.
      expect(step_ratings.at(-1)).toMatchObject({ step: "b1", plausibility: 2, edited_text: "" });
    }
  });

  it("by one key, which one undo takes back, without the verdict where a region lies elsewhere", async () => {
    const { room, saved } = await desk(told());
    for (const action of [points(4), fits, points(2), fits, points(5), fits]) room.perform(action);
    const ofA = room.state.reading;
    room.goTo(stepPlace("b", B[0] as Step));
    room.perform(asTwin);
    expect(room.state.reading.step_ratings.at(-1)).toMatchObject({ step: "b1", plausibility: 5 });
    expect(room.state.reading.region_annotations.at(-1)).toMatchObject({ region: "b1r", verdict: "fits" });
    expect(room.state.place).toMatchObject({ step: "b2" });
    expect(room.state.said).toBe("Rated as step 3 of output A.");
    room.perform(asTwin);
    expect(room.state.reading.step_ratings.at(-1)).toMatchObject({ step: "b2", plausibility: 4 });
    expect(room.state.place).toMatchObject({ step: "b2", region: "b2r" });
    expect(room.state.said).toContain("Its region lies elsewhere: judge it here.");
    room.perform(undo);
    room.perform(undo);
    expect(room.state.said).toContain("step 1 as step 3 of output A");
    const { step_ratings, region_annotations } = room.state.reading;
    expect(step_ratings.filter(({ plausibility }) => plausibility !== null)).toEqual(ofA.step_ratings);
    expect(region_annotations).toEqual(ofA.region_annotations);
    expect(saved.at(-2)?.change).toMatchObject({
      kind: "annotate_region",
      payload: { region: "b1r", verdict: null },
    });
  });

  it("keeps the note and the wording that it has, and takes “cannot judge” and a redrawn box over", async () => {
    const box = { x_min: 110, y_min: 210, x_max: 310, y_max: 410 };
    const rating = { plausibility: null, cannot_judge: true, note: "there", edited_text: "" };
    const { room } = await desk(
      told(A, B, {
        step_ratings: [
          { ...rating, step: "a3" },
          { ...rating, step: "b1", cannot_judge: false, note: "here" },
        ],
        region_annotations: [{ region: "a3r", verdict: "adjusted", ...box }],
      }),
    );
    room.rateAsTwin("b", B[0] as Step);
    expect(room.state.reading.step_ratings.at(-1)).toEqual({ ...rating, step: "b1", note: "here" });
    expect(room.state.reading.region_annotations.at(-1)).toEqual({
      region: "b1r",
      verdict: "adjusted",
      ...box,
    });
  });

  it("takes a note over that was written for the same words, and a wording where both point alike", async () => {
    const rating = { plausibility: 2, cannot_judge: false, note: "faint", edited_text: "Perhaps." };
    const part = { step_ratings: ["a1", "a3"].map((uid) => ({ ...rating, step: uid })) };
    const { room } = await desk(told(A, B, part));
    const before = room.state.reading.step_ratings;
    room.rateAsTwin("b", B[0] as Step);
    expect(room.state.reading.step_ratings.at(-1)).toEqual({ ...rating, step: "b1" });
    room.perform(undo);
    expect(room.state.reading.step_ratings.at(-1)).toMatchObject({ note: "", edited_text: "" });
    room.rateAsTwin("b", B[1] as Step);
    expect(room.state.reading.step_ratings.at(-1)).toEqual({ ...rating, step: "b2", edited_text: "" });
    expect(room.state.reading.step_ratings).toEqual(expect.arrayContaining(before));
  });

  it("takes the reader study's own questions over, unless a region lies elsewhere", async () => {
    const criteria = [
      ...CRITERIA,
      criterion("zone", { target: "step", field: "" }),
      criterion("edge", { target: "region", field: "" }),
    ];
    const answer = { completion: null, step: null, region: null };
    const ofA = [
      { ...answer, criterion: "zone", step: "a1", value: 1 },
      { ...answer, criterion: "zone", step: "a3", value: 2 },
      { ...answer, criterion: "edge", region: "a3r", value: 3 },
    ];
    const { room, saved } = await desk(told(A, B, { criteria, criterion_ratings: ofA }));
    room.rateAsTwin("b", B[0] as Step);
    expect(room.state.reading.criterion_ratings.slice(ofA.length)).toEqual([
      { ...answer, criterion: "zone", step: "b1", value: 2 },
      { ...answer, criterion: "edge", region: "b1r", value: 3 },
    ]);
    room.rateAsTwin("b", B[0] as Step);
    expect(room.state.said).toContain("already");
    room.rateAsTwin("b", B[1] as Step);
    expect(room.state.reading.criterion_ratings.some(({ step: uid }) => uid === "b2")).toBe(false);
    room.perform(undo);
    expect(room.state.reading.criterion_ratings).toEqual(ofA);
    expect(saved).toHaveLength(4);
  });

  it("never by itself, nor from a twin that is not rated, nor twice; and the room says so", async () => {
    const { room, saved } = await desk(told());
    const asks = (one: Step, sentence: string): void => {
      room.goTo(stepPlace(one.uid.startsWith("a") ? "a" : "b", one));
      room.perform(asTwin);
      expect(room.state.said).toBe(sentence);
    };
    asks(B[2] as Step, "No step of output A says this in the same words.");
    asks(B[1] as Step, "Step 1 of output A is not rated yet.");
    expect(saved).toEqual([]);
    room.goTo(stepPlace("a", A[0] as Step));
    room.perform(points(3));
    expect(room.state.reading.step_ratings.map(({ step: uid }) => uid)).toEqual(["a1"]);
    room.rateAsTwin("b", B[1] as Step);
    asks(
      B[1] as Step,
      "It is rated as step 1 of output A already. Its region lies elsewhere: judge it here.",
    );
  });
});

it("does not say of a region with swapped corners that it lies elsewhere", async () => {
  const inverted = region("b1r", 1, { x_min: 300, x_max: 100, problem: "inverted" });
  const one = { ...step("a1", 1, [region("a1r")]), text: "Clear lungs" };
  const other = { ...step("b1", 1, [inverted]), text: "Clear lungs" };
  const { room } = await desk({
    ...told(),
    completions: [completion("a", [one]), completion("b", [other])],
  });
  for (const action of [points(4), fits]) room.perform(action);
  room.rateAsTwin("b", other);
  expect(room.state.said).toBe(
    "Rated as step 1 of output A. Its region has its corners swapped: judge it here.",
  );
});

describe("an answer is rated as its twin", () => {
  const answer = (side: Side, question = "relevance") =>
    ({ kind: "answer", side, question: `${question}:completion-${side}` }) as const;
  const alike = (...answers: [string, string]): Reading => {
    const here = told();
    const completions = here.completions.map((each, at) => ({ ...each, answer: answers[at] ?? "" }));
    return { ...here, completions };
  };

  it("by one key on any of its questions, which one undo takes back; a rewrite stays", async () => {
    const { room, saved } = await desk(alike("Cardiomegaly.", "cardiomegaly"));
    room.goTo(answer("a"));
    for (const n of [5, 4, 3, 2]) room.perform(points(n));
    const rewrite = { ...answerRating(room.state.reading, "completion-b"), rewrite: "no finding" };
    room.change({ kind: "rate_answer", payload: rewrite });
    const before = room.state.reading.answer_ratings;
    room.goTo(answer("b", "correctness"));
    room.perform(asTwin);
    expect(room.state.said).toBe("Rated as the answer of output A.");
    const all = { relevance: 5, correctness: 4, completeness: 3, harm: "mild" };
    expect(answerRating(room.state.reading, "completion-b")).toMatchObject({ ...all, rewrite: "no finding" });
    expect(room.state.place).not.toMatchObject(answer("b", "correctness"));
    room.goTo(answer("b"));
    room.perform(asTwin);
    expect(room.state.said).toBe("It is rated as the answer of output A already.");
    room.perform(undo);
    expect(room.state.said).toContain("the answer as the answer of output A");
    expect(room.state.reading.answer_ratings).toEqual(before);
    expect(saved.at(-1)?.change).toMatchObject({ kind: "rate_answer", payload: rewrite });
  });

  it("with the reader study's own questions, also where it asks no others", async () => {
    const omission = criterion("omission", { field: "" });
    const value = { step: null, region: null, criterion: "omission", value: 2 };
    const asked = { criteria: [omission], criterion_ratings: [{ ...value, completion: "completion-a" }] };
    const { room } = await desk({ ...alike("Cardiomegaly.", "cardiomegaly"), ...asked });
    room.rateAsTwin("b", null);
    expect(room.state.reading.criterion_ratings.at(-1)).toEqual({ ...value, completion: "completion-b" });
    room.rateAsTwin("b", null);
    expect(room.state.said).toBe("It is rated as the answer of output A already.");
  });

  it("and not where it says something else, or is not rated", async () => {
    const { room, saved } = await desk(alike("cardiomegaly", "cardiomegaly, and an effusion"));
    room.rateAsTwin("b", null);
    expect(room.state.said).toBe("The answer of output A has other words.");
    const { room: other } = await desk(alike("no finding", "no finding"));
    other.rateAsTwin("b", null);
    expect(other.state.said).toBe("The answer of output A is not rated yet.");
    expect(saved).toEqual([]);
  });
});

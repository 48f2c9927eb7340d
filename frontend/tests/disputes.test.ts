import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Disputed, Reading } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { allSaid, isDisputed, isLeft, plausibilityOf, verdictOn } from "../src/reading-room/disputes";
import { gaps, leftToDo } from "../src/reading-room/gaps";
import { stepPlace } from "../src/reading-room/place";
import { CRITERIA, criterion, desk, reading, step } from "./scene";

const nextDisputed: Action = { kind: "next-disputed" };
const wrong: Action = { kind: "verdict", verdict: "wrong" };
const points = (n: number): Action => ({ kind: "points", points: n });

const on = (field: string, of: Partial<Disputed> = {}): Disputed => ({
  field,
  criterion: null,
  completion: null,
  step: null,
  region: null,
  ...of,
});
const DISPUTED = [
  on("plausibility", { step: "a2" }),
  on("verdict", { region: "b1r" }),
  on("correctness", { completion: "completion-b" }),
  on("overall"),
];
const settling = (disputed: Disputed[], part: Partial<Reading> = {}): Reading =>
  reading({ part: { adjudication: { kind: "third_reader", readings: [], disputed }, ...part } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("who decides between earlier readers", () => {
  it("is asked what they dispute and nothing else, and told so", () => {
    const told = settling(DISPUTED);
    expect(gaps(told).map(({ name }) => name)).toEqual([
      "A step 2",
      "B step 1 region",
      "B correctness",
      "overall",
    ]);
    expect(isDisputed(told, plausibilityOf("a2"))).toBe(true);
    expect(isLeft(told, verdictOn("a2r"))).toBe(true);
    expect(isLeft(reading(), verdictOn("a2r"))).toBe(false);
  });

  it("goes from one disputed item to the next by itself, and is done after the last", async () => {
    const { room } = await desk(settling(DISPUTED));
    expect(room.state.place).toMatchObject({ kind: "step", step: "a2" });
    room.perform(points(2));
    expect(room.state.place).toMatchObject({ kind: "step", step: "b1", region: "b1r" });
    room.perform(wrong);
    expect(room.state.place).toMatchObject({ question: "correctness:completion-b" });
    room.perform(points(1));
    expect(room.state.place).toMatchObject({ kind: "vote", question: "overall:" });
    room.perform(points(1));
    expect(leftToDo(room.state.reading)).toBe("");
    expect(allSaid(room.state.reading)).toBe("All that is disputed is settled.");
    expect(allSaid(reading())).toBe("Everything is rated.");
    expect(room.state.reading.step_ratings.map(({ step: uid }) => uid)).toEqual(["a2"]);
  });

  it("comes by a key to each of them in turn, answered or not, from A to B and round again", async () => {
    const { room } = await desk(settling(DISPUTED));
    room.perform(points(2));
    const seen = DISPUTED.map(() => {
      room.perform(nextDisputed);
      const { place } = room.state;
      return place.kind === "step" ? place.step : place.kind;
    });
    expect(seen).toEqual(["answer", "vote", "a2", "b1"]);
  });

  it("may overrule what they agree on", async () => {
    const { room, saved } = await desk(settling(DISPUTED));
    room.goTo(stepPlace("a", step("a1", 1, [])));
    room.perform(points(5));
    expect(saved.at(-1)?.change).toMatchObject({
      kind: "rate_step",
      payload: { step: "a1", plausibility: 5 },
    });
    expect(room.state.place).toMatchObject({ step: "a2" });
  });

  it("must answer what is disputed of an optional question too", () => {
    const sure = criterion("how-sure", { target: "step", field: "", is_required: false });
    const told = settling([on("", { criterion: "how-sure", step: "b2" })], { criteria: [...CRITERIA, sure] });
    expect(gaps(told).map(({ name }) => name)).toEqual(["B step 2 how-sure"]);
  });

  it("is asked everything where nothing is disputed, and the key says so", async () => {
    const told = settling([]);
    expect(gaps(told)).toEqual(gaps(reading()));
    const { room } = await desk(told);
    room.perform(nextDisputed);
    expect(room.state.said).toBe("Nothing of this case is disputed.");
  });
});

import { describe, expect, it } from "vitest";
import cases from "../../tests/deepmedix_review/reviews/reading/errors_asked.json";
import type { AskedCriterion, Reading, Verdict } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import { contradictions, Weighing } from "../src/reading-room/contradictions";
import { gaps } from "../src/reading-room/gaps";
import { isFolded } from "../src/reading-room/not-asked";
import { stepPlace } from "../src/reading-room/place";
import { ownQuestions } from "../src/reading-room/questions";
import { CRITERIA, criterion, desk, reading, region, step } from "./scene";

const points = (n: number): Action => ({ kind: "points", points: n });
const fits: Action = { kind: "verdict", verdict: "fits" };
const undo: Action = { kind: "undo" };

const options = (...values: string[]) => values.map((value) => ({ value, label: value, anchor: "" }));
const error = (what: string, asked_if: string, ...values: string[]): AskedCriterion => ({
  ...criterion(`error-of-${what}`, { target: "step", kind: "choice", field: "", asked_if }),
  options: options("none", ...values),
});
const ERRORS = [
  error("finding", "flawed", "false", "denied", "confused"),
  error("location", "there", "side", "zone", "extent"),
  error("severity", "there", "understated", "overstated"),
];
const OMISSION = criterion("omission", { kind: "choice", field: "", options: options("none", "major") });
const asked = (...left: string[]): AskedCriterion[] => [
  ...CRITERIA.filter(({ key }) => ["plausibility", "verdict"].includes(key) && !left.includes(key)),
  ...ERRORS,
];
const one = (criteria: AskedCriterion[], part: Partial<Reading> = {}): Reading =>
  reading({ numSides: 1, numSteps: 1, part: { criteria, ...part } });
const openErrors = (told: Reading): string[] =>
  gaps(told).flatMap(({ name }) => /error-of-(\w+)/.exec(name)?.[1] ?? []);

describe("errors are asked of a step that has one", () => {
  for (const said of cases) {
    it(`where a reader says ${said.says}`, () => {
      const left = [
        ...(said.asks_plausibility === false ? ["plausibility"] : []),
        ...(said.asks_verdict === false ? ["verdict"] : []),
      ];
      const regions = said.verdicts.map((_, at) => region(`r${at}`, at + 1));
      const told = one(asked(...left));
      const [output] = told.completions;
      const rated: Reading = {
        ...told,
        completions: output ? [{ ...output, steps: [step("a1", 1, regions)] }] : [],
        step_ratings: [
          {
            step: "a1",
            plausibility: said.plausibility,
            cannot_judge: said.cannot_judge ?? false,
            note: "",
            edited_text: "",
          },
        ],
        region_annotations: said.verdicts.flatMap((verdict, at) =>
          verdict === null
            ? []
            : [
                {
                  region: `r${at}`,
                  verdict: verdict as Verdict,
                  x_min: null,
                  y_min: null,
                  x_max: null,
                  y_max: null,
                },
              ],
        ),
        criterion_ratings:
          said.finding === null
            ? []
            : [
                {
                  criterion: "error-of-finding",
                  completion: null,
                  step: "a1",
                  region: null,
                  value: said.finding,
                },
              ],
      };
      expect(openErrors(rated)).toEqual(said.open);
    });
  }

  it("so that keys go past them, and come to them again when the rating changes", async () => {
    const { room } = await desk(one([...asked(), OMISSION]));
    room.perform(points(5));
    room.perform(fits);
    expect(room.state.place).toMatchObject({ question: "omission:completion-a" });
    room.perform({ kind: "walk", by: -1 });
    expect(room.state.place).toMatchObject({ kind: "step", question: null });
    room.perform(points(3));
    expect(room.state.place).toMatchObject({ question: "error-of-finding:a1" });
    room.perform(points(2));
    expect(room.state.place).toMatchObject({ question: "omission:completion-a" });
    expect(openErrors(room.state.reading)).toEqual([]);
    room.perform(undo);
    expect(openErrors(room.state.reading)).toEqual(["finding", "location", "severity"]);
  });

  it("and may be answered of any other all the same, one after the other", async () => {
    const { room } = await desk(one([...asked(), OMISSION]));
    room.perform(points(5));
    room.perform(fits);
    const [told] = room.state.reading.completions[0]?.steps ?? [];
    if (told === undefined) return;
    const questions = ownQuestions(room.state.reading, told);
    const away = (): boolean[] =>
      questions.map((question) => isFolded(room.state.reading, question, room.state.opened));
    expect(away()).toEqual([true, true, true]);
    room.walking.open("a1", { ...stepPlace("a", told), question: "error-of-finding:a1" } as never);
    expect(away()).toEqual([false, false, false]);
    room.perform({ kind: "walk", by: 1 });
    expect(room.state.place).toMatchObject({ question: "error-of-location:a1" });
    room.perform(points(3));
    expect(room.state.reading.criterion_ratings).toMatchObject([{ value: "zone" }]);
  });

  it("and an answer that was given stays in sight", async () => {
    const { room } = await desk(one(asked()));
    room.perform(points(4));
    room.perform(fits);
    room.perform(points(3));
    room.goTo(stepPlace("a", step("a1", 1, [region("a1r")])));
    room.perform(points(5));
    const [told] = room.state.reading.completions[0]?.steps ?? [];
    const away =
      told && ownQuestions(room.state.reading, told).map((q) => isFolded(room.state.reading, q, []));
    expect(away).toEqual([false, true, true]);
    expect(room.state.reading.criterion_ratings).toMatchObject([{ value: "denied" }]);
  });
});

describe("what contradicts itself", () => {
  const rated = async (): Promise<Reading> => {
    const completeness = CRITERIA.filter(({ key }) => key === "completeness");
    const { room } = await desk(
      reading({ numSteps: 2, part: { criteria: [...asked(), ...completeness, OMISSION] } }),
    );
    const say = (key: string, stepUid: string | null, value: string): void =>
      room.change({
        kind: "rate_criterion",
        payload: {
          criterion: key,
          completion: stepUid ? null : "completion-b",
          step: stepUid,
          region: null,
          value,
        },
      });
    room.perform(points(5));
    say("error-of-finding", "a1", "false");
    say("error-of-finding", "a2", "false");
    say("error-of-location", "a2", "zone");
    say("error-of-severity", "b1", "none");
    room.goTo({ kind: "answer", side: "b", question: "completeness:completion-b" });
    room.perform(points(5));
    say("omission", null, "major");
    return room.state.reading;
  };

  it("is named with its place", async () => {
    const found = contradictions(await rated());
    expect(found.map(({ name }) => name)).toEqual([
      "A step 1: plausible 5, yet “false”",
      "A step 2: “false”, yet “zone”",
      "B: completeness 5, yet an omission is named",
    ]);
    expect(found.map(({ place }) => "question" in place && place.question)).toEqual([
      "error-of-finding:a1",
      "error-of-location:a2",
      "omission:completion-b",
    ]);
  });

  it("is shown once, and again where another is added", async () => {
    const told = await rated();
    const weighing = new Weighing();
    const fewer = { ...told, criterion_ratings: told.criterion_ratings.slice(0, 1) };
    expect(weighing.before(fewer)).toHaveLength(1);
    expect(weighing.before(told)).toHaveLength(3);
    expect(weighing.before(told)).toEqual([]);
    expect(weighing.before({ ...told, uid: "another" })).toHaveLength(3);
  });
});

describe("a digit that means nothing here", () => {
  it("says how many values there are", async () => {
    const { room, saved } = await desk(one(asked()));
    room.perform(points(7));
    expect(room.state.said).toBe("There are five values here.");
    room.perform(points(4));
    room.perform(fits);
    room.perform(points(5));
    expect(room.state.said).toBe("There are four values here.");
    expect(saved).toHaveLength(2);
    room.perform(points(1));
    expect(room.state.said).toBeNull();
  });

  it("says of a step whose plausibility is not asked what is asked of it", async () => {
    const { room, saved } = await desk(one(asked("plausibility")));
    room.perform(points(3));
    expect(room.state.said).toMatch(/^No points are asked for here: F says that the region fits/);
    expect(saved).toEqual([]);
  });
});

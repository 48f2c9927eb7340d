import { describe, expect, it } from "vitest";
import type { Reading } from "../src/api/reading";
import { placeOfStillSaid, stillSaid, stillSaidInWords } from "../src/reading-room/still-said";
import { completion, reading, region, step } from "./scene";

const nodule = { finding: "Nodule", sides: ["left"], words: "nodule" };
const heart = { finding: "Cardiomegaly", sides: [], words: "heart is enlarged" };
const bigHeart = { ...heart, words: "cardiomegaly" };
const steps = [
  { ...step("a1", 1, [region("a1r")]), text: "The heart is enlarged", names: [heart] },
  { ...step("a2", 2, [region("a2r")]), text: "A left nodule", names: [nodule] },
];
const said = completion("a", steps, {
  answer: "cardiomegaly, left nodule",
  answer_names: [bigHeart, nodule],
});
const wrong = {
  region: "a2r",
  verdict: "wrong",
  x_min: null,
  y_min: null,
  x_max: null,
  y_max: null,
} as const;
const nobody = { plausibility: null, cannot_judge: false, note: "", edited_text: "" };
const answered = (rewrite: string) => ({
  completion: "completion-a",
  relevance: null,
  correctness: null,
  completeness: null,
  harm: "" as const,
  rewrite,
});

/** The second step struck out. */
const struck = (part: Partial<Reading> = {}): Reading =>
  reading({
    numSides: 1,
    part: {
      completions: [said],
      step_ratings: [{ ...nobody, step: "a2", plausibility: 1 }],
      region_annotations: [wrong],
      ...part,
    },
  });

describe("what an answer still says", () => {
  it("is named where its step was struck out and the answer left as it was", () => {
    expect(stillSaidInWords(struck())).toBe("The answer still says “left nodule”, taken out of step 2.");
    expect(placeOfStillSaid(struck())).toMatchObject({ kind: "answer", side: "a" });
  });

  it("counts what further findings it says that were taken out", () => {
    const every = ["a1", "a2"].map((uid) => ({ ...nobody, step: uid, plausibility: 1 }));
    const region_annotations = [wrong, { ...wrong, region: "a1r" }];
    expect(stillSaidInWords(struck({ step_ratings: every, region_annotations }))).toBe(
      "The answer still says “cardiomegaly”, taken out of step 1, and 1 more finding taken out.",
    );
  });

  it("is nothing while every step stands, nor once the answer is rewritten without it", () => {
    expect(stillSaid(struck({ region_annotations: [] }))).toEqual([]);
    const rewritten = (rewrite: string) => struck({ answer_ratings: [answered(rewrite)] });
    expect(stillSaid(rewritten("cardiomegaly"))).toEqual([]);
    expect(stillSaid(rewritten("Cardiomegaly. No nodule."))).toEqual([]);
    expect(stillSaid(rewritten("cardiomegaly, right nodule"))).toEqual([]);
    expect(stillSaidInWords(rewritten("Cardiomegaly and a small Nodule"))).toMatch(
      /^Your answer still says “left nodule”/,
    );
  });

  it("is found where a step was worded otherwise, and not where its own wording says it too", () => {
    const worded = (edited_text: string) =>
      struck({
        step_ratings: [{ ...nobody, step: "a1", plausibility: 2, edited_text }],
        region_annotations: [],
      });
    expect(stillSaid(worded("The heart is of normal size"))).toMatchObject([{ words: "cardiomegaly" }]);
    expect(stillSaid(worded("The heart is not enlarged"))).toMatchObject([{ words: "cardiomegaly" }]);
    expect(stillSaid(worded("The heart is mildly enlarged"))).toEqual([]);
    expect(stillSaid(worded("Mild cardiomegaly"))).toEqual([]);
  });

  it("is nothing where another step or a missed finding says it", () => {
    const missed_findings = [{ uid: "f", completion: "completion-a", text: "Nodule in the left apex" }];
    expect(stillSaid(struck({ missed_findings }))).toEqual([]);
    const again = { ...step("a3", 3, []), names: [nodule] };
    expect(stillSaid(struck({ completions: [{ ...said, steps: [...steps, again] }] }))).toEqual([]);
  });

  it("says of which output it is where there are two", () => {
    const other = completion("b", []);
    const told = struck({ completions: [said, other] });
    expect(stillSaidInWords(told)).toMatch(/^A's answer still says/);
    expect(stillSaidInWords(told, "a")).toBe(stillSaidInWords(told));
    expect(stillSaidInWords(told, "b")).toBe("");
  });

  it("says it of both outputs, in one sentence where it is the same", () => {
    const inB = (words: string, position: number) => {
      const named = { ...nodule, words };
      const steps = [{ ...step("b1", position, [region("b1r")]), names: [named] }];
      return struck({
        completions: [said, completion("b", steps, { answer_names: [named] })],
        step_ratings: ["a2", "b1"].map((uid) => ({ ...nobody, step: uid, plausibility: 1 })),
        region_annotations: [wrong, { ...wrong, region: "b1r" }],
      });
    };
    expect(stillSaidInWords(inB("nodule", 2))).toBe(
      "A's and B's answers still say “left nodule”, taken out of step 2 of each.",
    );
    expect(stillSaidInWords(inB("nodule", 1))).toMatch(/taken out of A's step 2 and B's step 1\.$/);
    expect(stillSaidInWords(inB("opacity", 1))).toBe(
      "A's answer still says “left nodule”, taken out of step 2. " +
        "B's answer still says “left opacity”, taken out of step 1.",
    );
  });
});

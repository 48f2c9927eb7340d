import { describe, expect, it } from "vitest";
import type { Reading } from "../src/api/reading";
import { notSaidInWords, placeOfNotSaid } from "../src/reading-room/not-said";
import { completion, reading, region, step } from "./scene";

const nodule = { finding: "Nodule", sides: ["left"], words: "nodule" };
const steps = [{ ...step("a1", 1, [region("a1r")]), text: "A left nodule", names: [nodule] }];
const listed = completion("a", steps, { answer: "left nodule", answer_names: [nodule] });
const missing = (text: string) => ({ uid: "m1", completion: "completion-a", text });

const added = (text: string, part: Partial<Reading> = {}): Reading =>
  reading({ numSides: 1, part: { completions: [listed], missed_findings: [missing(text)], ...part } });

describe("what an answer leaves out", () => {
  it("is a missed finding of which it has no word of its own", () => {
    expect(notSaidInWords(added("small left pleural effusion"))).toBe(
      "The answer leaves out missed finding 1: rewrite it too, or it is no text to learn from.",
    );
    expect(placeOfNotSaid(added("left effusion"))).toMatchObject({ kind: "answer", side: "a" });
  });

  it("is counted", () => {
    const missed_findings = [missing("effusion"), { ...missing("cavity"), uid: "m2" }];
    expect(notSaidInWords(added("", { missed_findings }))).toContain("missed finding 1 and 1 more:");
  });

  it("is nothing where the answer has it, nor once the answer is rewritten", () => {
    expect(notSaidInWords(added("a second nodule at the left"))).toBe("");
    const rewritten = {
      completion: "completion-a",
      relevance: null,
      correctness: null,
      completeness: null,
      harm: "" as const,
      rewrite: "left nodule, left effusion",
    };
    expect(notSaidInWords(added("left effusion", { answer_ratings: [rewritten] }))).toBe("");
    expect(placeOfNotSaid(added("a nodule"))).toBeNull();
  });

  it("is told of an answer that names nothing, and not of one to a question", () => {
    const answering = (answer: string) =>
      completion("a", [{ ...step("a1", 1, []), text: "The lungs are clear", names: [] }], {
        answer,
        answer_names: [],
      });
    const of = (answer: string) => notSaidInWords(added("effusion", { completions: [answering(answer)] }));
    expect(of("no acute finding")).toContain("leaves out missed finding 1");
    expect(of("yes")).toBe("");
  });

  it("is nothing where the answer leaves out what the output's own steps name", () => {
    const short = completion("a", steps, { answer: "cardiomegaly", answer_names: [] });
    expect(notSaidInWords(added("effusion", { completions: [short] }))).toBe("");
  });
});

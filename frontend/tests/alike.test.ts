import { describe, expect, it } from "vitest";
import { alikeInWords } from "../src/reading-room/alike";
import { missedByBoth, ofOther } from "../src/reading-room/missed-by-both";
import { completion, reading, region, step } from "./scene";

const says = (uid: string, text: string) => ({ ...step(uid, 1, [region(`${uid}r`)]), text });
const two = (a: string, b: string, answers: readonly [string, string] = ["nodule", "Nodule."]) =>
  reading({
    part: {
      completions: [
        completion("a", [says("a1", a)], { answer: answers[0] }),
        completion("b", [says("b1", b)], { answer: answers[1] }),
      ],
    },
  });
const missed = [
  { uid: "f", completion: "completion-a", text: "Left nodule" },
  { uid: "g", completion: "completion-b", text: "left nodule " },
  { uid: "h", completion: "completion-b", text: "Fracture" },
];

describe("what two outputs have in common", () => {
  it("is said to whoever votes: the same words in steps, in answers, or in both", () => {
    expect(alikeInWords(two("A nodule [1, 2, 3, 4]", "a nodule"))).toBe(
      "Both say the same, in steps and answer.",
    );
    expect(alikeInWords(two("A nodule", "Clear lungs"))).toBe("Both answers say the same.");
    expect(alikeInWords(two("A nodule", "a nodule", ["nodule", "mass"]))).toBe(
      "The steps of both say the same.",
    );
    expect(alikeInWords(two("A nodule", "Clear lungs", ["nodule", "mass"]))).toBe("");
    expect(alikeInWords(reading({ numSides: 1 }))).toBe("");
  });

  it("is what both miss, once, and each finding knows the other output's", () => {
    const both = { ...two("A nodule", "Clear lungs", ["x", "y"]), missed_findings: missed };
    expect(missedByBoth(both)).toEqual(["Left nodule"]);
    expect(alikeInWords(both)).toBe("Both miss “Left nodule”.");
    const [f, g, h] = missed.map((finding) => ofOther(both, finding));
    expect([f?.uid, g?.uid, h]).toEqual(["g", "f", null]);
  });
});

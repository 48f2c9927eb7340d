import { describe, expect, it } from "vitest";
import { withBoxes, wordsOf } from "../src/reading-room/wordings";
import { keeping, textIn } from "../src/reading-room/writing";
import { reading, region, step } from "./scene";

const HEART = "The heart is enlarged with [30, 50, 80, 90].";
const BOTH = "A nodule with [1, 2, 3, 4] and an effusion at [5.5, 6, 7, 8] are seen";

describe("a step's words", () => {
  it("stand without the boxes in them, and what ties them", () => {
    expect(wordsOf(HEART)).toBe("The heart is enlarged.");
    expect(wordsOf(BOTH)).toBe("A nodule and an effusion are seen");
    expect(wordsOf("Clear lungs [1, 2, 3, 4] and [5, 6, 7, 8]; see [1]")).toBe("Clear lungs; see [1]");
  });

  it.each([
    [HEART, "The heart is normal.", "The heart is normal with [30, 50, 80, 90]."],
    [HEART, "A big heart. No effusion", "A big heart. No effusion with [30, 50, 80, 90]"],
    [BOTH, "A mass and an effusion are seen", null],
    [
      BOTH,
      "A nodule in the apex and an effusion are seen",
      "A nodule with [1, 2, 3, 4] in the apex and an effusion at [5.5, 6, 7, 8] are seen",
    ],
    [
      BOTH,
      "A nodule and an effusion are there",
      "A nodule with [1, 2, 3, 4] and an effusion at [5.5, 6, 7, 8] are there",
    ],
    [BOTH, "Nodules and effusions", "Nodules and effusions"],
    ["[1, 2, 3, 4] shows a nodule", "shows a mass", "[1, 2, 3, 4] shows a mass"],
    ["Clear lungs", "Hazy lungs", "Hazy lungs"],
  ])("of %j written as %j keep their boxes where they stood", (original, words, text) => {
    expect(withBoxes(original, words)).toBe(
      text ?? "A mass with [1, 2, 3, 4] and an effusion at [5.5, 6, 7, 8] are seen",
    );
  });

  it("are what a reader edits, and what comes of it has the step's own boxes", () => {
    const of = { ...step("a1", 1, [region("a1r")]), text: HEART };
    const writing = { field: "wording", step: of } as const;
    const now = reading();
    expect(textIn(now, writing)).toBe("The heart is enlarged.");
    const edited_text = "The heart is normal with [30, 50, 80, 90].";
    expect(keeping(now, writing, "The heart is normal.").payload).toMatchObject({ edited_text });
    expect(keeping(now, writing, "The heart is enlarged.").payload).toMatchObject({ edited_text: "" });
    const rating = { step: "a1", plausibility: null, cannot_judge: false, note: "", edited_text };
    expect(textIn({ ...now, step_ratings: [rating] }, writing)).toBe("The heart is normal.");
  });
});

import { describe, expect, it } from "vitest";
import type { AskedCriterion, Reading } from "../src/api/reading";
import { withChange } from "../src/reading-room/changes";
import { gaps, leftToDo } from "../src/reading-room/gaps";
import { itemName } from "../src/reading-room/items";
import { boxOfKnown, marksFor } from "../src/reading-room/marks";
import { findingName, markOfFinding, missedInWords } from "../src/reading-room/missed";
import { nameOf } from "../src/reading-room/naming";
import { addFinding, drawRegion } from "../src/reading-room/regions";
import { allScales, chosenIn, endsOf, scalesAt } from "../src/reading-room/scales";
import { CRITERIA, desk, reading } from "./scene";

const anchors = ["not at all", "hardly", "partly", "mostly", "wholly"];

function anchored(criterion: AskedCriterion): AskedCriterion {
  if (criterion.key === "harm") return criterion;
  const options = criterion.options.map((option, at) => ({ ...option, anchor: anchors[at] ?? "" }));
  return { ...criterion, options };
}

const asked = (part: Partial<Reading> = {}): Reading =>
  reading({ part: { criteria: CRITERIA.map(anchored), ...part } });

const relevance = { kind: "answer", side: "a", question: "relevance:completion-a" } as const;
const firstStep = { kind: "step", side: "a", step: "a1", region: "a1r", question: null } as const;

describe("what the values mean", () => {
  it("is told of every value, and which one is chosen", () => {
    const rating = { relevance: 3, correctness: null, completeness: null, harm: "", rewrite: "" } as const;
    const rated = withChange(asked(), {
      kind: "rate_answer",
      payload: { completion: "completion-a", ...rating },
    });
    const [scale] = scalesAt(rated, relevance);
    expect(scale?.values.map(({ anchor }) => anchor)).toEqual(anchors);
    expect(scale && chosenIn(scale)).toBe("3: partly");
    const [open] = scalesAt(asked(), relevance);
    expect(open && [chosenIn(open), endsOf(open)]).toEqual([null, "1: not at all · 5: wholly"]);
  });

  it("is told of a step's plausibility and of its region, and that it may not be judged", () => {
    const said = withChange(asked(), {
      kind: "rate_step",
      payload: { step: "a1", plausibility: null, cannot_judge: true, note: "", edited_text: "" },
    });
    const fits = { region: "a1r", verdict: "fits", box: null } as const;
    const scales = scalesAt(withChange(said, { kind: "annotate_region", payload: fits }), firstStep);
    expect(scales.map(({ name }) => name)).toEqual(["plausibility", "verdict"]);
    expect(scales.map(chosenIn)).toEqual(["?: it cannot be judged on this film", "fits: not at all"]);
    expect(scalesAt(asked(), { ...firstStep, region: null })).toHaveLength(1);
  });

  it("has no ends where the values have no order, and no words where the study has none", () => {
    const [harm] = scalesAt(asked(), { ...relevance, question: "harm:completion-a" });
    expect(harm && [endsOf(harm), chosenIn(harm)]).toEqual([null, null]);
    const [vote] = scalesAt(asked(), { kind: "vote", side: "a", question: "overall:" });
    expect(vote && endsOf(vote)).toBeNull();
    expect(allScales(asked()).map(({ name }) => name)).not.toContain("harm");
    expect(allScales(asked())).toHaveLength(CRITERIA.length - 1);
  });

  it("goes away with the pointer, and when the focus goes elsewhere", async () => {
    const { room } = await desk(asked());
    const pointed = { name: "relevance", question: "", label: "2", anchor: "hardly" };
    room.walking.pointAt(pointed);
    expect(room.state.pointed).toBe(pointed);
    room.goTo(relevance);
    expect(room.state.pointed).toBeNull();
  });
});

describe("a missed finding", () => {
  const missed = ["a", "b", "b"].reduce(
    (now, side, at) => withChange(now, addFinding(`m${at}`, `completion-${side}`, "rib fracture")),
    reading(),
  );

  it("says of which output it is, everywhere it is named", () => {
    expect(findingName(missed, "m2", "completion-b")).toBe("missed finding 2 of output B");
    const [, , last] = missed.missed_findings;
    expect(last && markOfFinding(missed, last)).toBe("B M2");
    const again = addFinding("m1", "completion-b", "two fractures");
    expect(nameOf(missed, again)).toBe("missed finding 1 of output B");
    expect(itemName(missed, again)).toBe("Missed finding 1 of output B");
    const drawn = drawRegion("r", { kind: "finding", uid: "m0" }, null);
    expect(nameOf(missed, drawn)).toBe("your region of missed finding 1 of output A");
    expect(itemName(missed, drawn)).toBe("Your region of missed finding 1 of output A");
    expect(missedInWords(missed)).toBe("Missed findings: 1 by A, 2 by B.");
  });

  it("of a case with one output says no more than its number", () => {
    const one = withChange(reading({ numSides: 1 }), addFinding("m", "completion-a", "rib fracture"));
    expect(findingName(one, "m", "completion-a")).toBe("missed finding 1");
    expect(missedInWords(one)).toBe("Missed findings: 1.");
    expect(missedInWords(reading())).toBe("");
  });
});

describe("what is left", () => {
  it("names few things where their names are long", () => {
    const long = {
      ...CRITERIA[2],
      key: "o",
      field: "",
      name: "Error of location and extent",
    } as AskedCriterion;
    const criteria = [1, 2, 3].map((n) => ({ ...long, uid: `o${n}`, target: "step" as const }));
    const told = reading({ numSides: 1, part: { criteria } });
    expect(gaps(told)).toHaveLength(6);
    expect(leftToDo(told)).toBe("step 1 error of location and extent and 5 more");
  });
});

describe("what is known of a training case", () => {
  it("is drawn on the film once it is signed, in a colour of its own, below the rest", async () => {
    const feedback = {
      known_answer: {
        findings: ["Edema"],
        regions: [{ finding: "Edema", box: [10, 20, 30, 40] }],
        choice: "",
        comment: "",
      },
      items: [],
    };
    const { room } = await desk(reading({ part: { feedback, signed_at: "2026-11-24T10:00:00Z" } }));
    const [known, ...others] = marksFor(room.state.reading, room.state);
    expect(known).toMatchObject({ label: "Known: Edema", colour: 0, box: boxOfKnown(feedback, 0) });
    expect(known?.adjustable).toBe(false);
    expect(others.map(({ uid }) => uid)).toEqual(["a1r"]);
    expect(marksFor(room.state.reading, { ...room.state, isHidden: true })).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { stopsOf, type TourPart } from "../src/reading-room/tour-stops";
import { CRITERIA, criterion, reading } from "./scene";

const FIRST_READ = {
  form: "findings",
  choices: [],
  findings_offered: [],
  first: null,
  after_reveal: null,
} as const;

function told(part: TourPart, asks: readonly string[], { numSides = 2, more = {} } = {}): string {
  const criteria = CRITERIA.filter(({ key }) => asks.includes(key));
  const stops = stopsOf(part, reading({ numSides, part: { criteria, ...more } }));
  return stops.map(({ title, text }) => `${title}: ${text}`).join("\n");
}

const EVERYTHING = CRITERIA.map(({ key }) => key);

describe("the tour", () => {
  it("names what the reader study asks", () => {
    const whole = told("whole", EVERYTHING);
    expect(whole).toContain("One step at a time: 1 to 5 says how plausible");
    expect(whole).toContain("drawn on the film: F it fits, R redraw it");
    expect(whole).toContain(
      "questions on the answer: relevance, correctness, completeness, harm. Digits choose.",
    );
    expect(whole).toContain("to B by itself, and then to the votes: grounded, overall. C puts both");
  });

  it.each(EVERYTHING)("does not name %s where the reader study does not ask it", (key) => {
    const without = told(
      "after-reveal",
      EVERYTHING.filter((each) => each !== key),
    );
    const words = { plausibility: /plausible/, verdict: /it fits/ }[key] ?? new RegExp(`\\b${key}\\b`);
    expect(told("after-reveal", EVERYTHING)).toMatch(words);
    expect(without).not.toMatch(words);
  });

  it("frames the answer where it is read, and the foot where votes stand in it", () => {
    const framed = (numSides: number): string[] =>
      stopsOf("after-reveal", reading({ numSides, part: { criteria: CRITERIA } })).map(({ place }) => place);
    expect(framed(1)).toEqual(["output", "output", "output", "foot"]);
    expect(framed(2)).toEqual(["output", "output", "foot", "foot"]);
  });

  it("says nothing of a second output where there is one, nor of what comes after the steps where nothing does", () => {
    expect(told("whole", EVERYTHING, { numSides: 1 })).not.toMatch(/vote|Compare|output B|two outputs/i);
    expect(told("after-reveal", ["plausibility"], { numSides: 1 })).not.toContain("After the steps");
  });

  it("names the reader study's own questions, and says how they are answered", () => {
    const own = [
      criterion("Device", { target: "step", kind: "choice", field: "" }),
      criterion("Remark", { kind: "text", field: "" }),
      criterion("Quality", { target: "case", field: "" }),
    ];
    const whole = told("whole", [], { numSides: 1, more: { criteria: own } });
    expect(whole).toContain("Digits answer what else is asked of it: Device. When all is said");
    expect(whole).toContain(
      "The answer, and the case: After the steps come the questions on the answer: Remark. T writes.",
    );
    expect(whole).toContain("asked of the whole case: Quality.");
    expect(whole).not.toMatch(/harm|plausible|vote/i);
  });

  it("speaks of a first read where one is asked, as it is asked", () => {
    expect(told("whole", EVERYTHING)).not.toContain("first read");
    expect(told("whole", EVERYTHING, { more: { skips_first_read: true } })).toContain("first read");
    const findings = told("first-read", EVERYTHING, { more: { first_read: FIRST_READ } });
    expect(findings).toContain("J goes on: to a line of impression, which T writes, and then to how sure");
    const choice = told("first-read", EVERYTHING, {
      more: { first_read: { ...FIRST_READ, form: "choice" } },
    });
    expect(choice).toContain("J goes on: to how sure you are");
  });
});

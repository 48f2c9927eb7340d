import { expect, it } from "vitest";
import { digitsAt, keysAt, whyKeysRest } from "../src/reading-room/keys-in-use";
import { type Place, stepPlace } from "../src/reading-room/place";
import type { RoomState } from "../src/reading-room/room-state";
import { SHORTCUTS } from "../src/reading-room/shortcuts";
import { reading, region, step } from "./scene";

const one = reading();
const onStep = stepPlace("a", step("a1", 1, [region("a1r")]));
const answer = (key: string): Place => ({ kind: "answer", side: "a", question: `${key}:completion-a` });
const vote: Place = { kind: "vote", side: "a", question: "overall:" };
const finding: Place = { kind: "finding", side: "a", finding: "f" };
const at = (place: Place) => ({ reading: one, place });

it("tells of the keys that judge a step where a step is in hand alone, and at a vote none of them", () => {
  expect(keysAt(at(onStep))).toEqual(expect.arrayContaining(["Region fits", "Region wrong", "Cannot judge"]));
  for (const place of [vote, answer("harm"), finding]) {
    expect(keysAt(at(place))).not.toContain("Region fits");
    expect(keysAt(at(place))).not.toContain("Cannot judge");
  }
  expect(keysAt(at(finding))).toContain("Draw a further region here");
  const signed = { ...one, signed_at: "2026-11-24T10:00:00Z" };
  expect(keysAt({ reading: signed, place: vote })).not.toContain("Undo");
});

it("tells as many digits as there are values, and none where they mean nothing", () => {
  expect(digitsAt(at(onStep))).toEqual({ does: "Rate", num: 5 });
  expect(digitsAt(at(answer("relevance")))).toEqual({ does: "Rate", num: 5 });
  expect(digitsAt(at(answer("harm")))).toEqual({ does: "Choose", num: 3 });
  expect(digitsAt(at(vote))).toEqual({ does: "Choose", num: 4 });
  expect(digitsAt(at(finding))).toBeNull();
});

it("names keys by labels that the key map has", () => {
  const labels = SHORTCUTS.map(({ label }) => label);
  for (const place of [onStep, vote, finding]) {
    for (const label of keysAt(at(place))) expect(labels).toContain(label);
  }
});

it("tells of no key while the film is missing, or a text is being written", () => {
  const missing = { kind: "wrong", sentence: "", isMissing: true, isLockedOut: false } as const;
  const writing = { field: "note", of: "a1" } as unknown as RoomState["writing"];
  expect(whyKeysRest({ film: missing, writing: null })).toContain("until the film is on the screen");
  expect(whyKeysRest({ film: { kind: "loading" }, writing })).toContain("while you write");
  expect(whyKeysRest({ film: { kind: "loading" }, writing: null })).toBeNull();
});

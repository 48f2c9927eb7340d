/** Which keys the bottom bar tells: those that do something where the reader is, by their labels in the key map. */
import type { Reading } from "../api/reading";
import { hasTwo, type Place, questionAt } from "./place";
import { builtIn } from "./questions";
import type { RoomState } from "./room-state";

export const NUM_PLAIN_DIGITS = 9;

export interface DigitKeys {
  readonly does: "Rate" | "Choose";
  /** From 1 on. */
  readonly num: number;
}

type Where = Pick<RoomState, "reading" | "place">;

/** Why the bottom bar tells no keys; null where it does. */
export function whyKeysRest({ film, writing }: Pick<RoomState, "film" | "writing">): string | null {
  if (film.kind === "wrong") return "The keys rest until the film is on the screen.";
  return writing === null ? null : "Single keys rest while you write.";
}

const WALK = ["Next item", "Previous item"];

/** What has its key beside it on a card is not told twice. */
export function keysAt({ reading, place }: Where): readonly string[] {
  const swap = hasTwo(reading) ? ["Swap A/B"] : [];
  if (reading.signed_at !== null) return [...WALK, ...swap, "All regions", "Next region of the step"];
  if (reading.stage === "first_read") {
    const note = reading.first_read?.form === "findings" ? ["Note"] : [];
    return [...note, "Draw a further region here", ...WALK, "Undo"];
  }
  return [...WALK, ...swap, ...keysOn(reading, place), "Missed finding", "Undo"];
}

function keysOn(reading: Reading, place: Place): string[] {
  if (place.kind === "finding") return ["Edit the text", "Draw a further region here"];
  if (place.kind !== "step" || place.question !== null) return [];
  const judges = builtIn(reading, "verdict") !== null && place.region !== null;
  return [
    ...(judges ? ["Region fits", "Redraw region", "Region wrong"] : []),
    ...(builtIn(reading, "plausibility") ? ["Cannot judge"] : []),
  ];
}

/** What the digits choose or rate; null where they do nothing. */
export function digitsAt({ reading, place }: Where): DigitKeys | null {
  if (reading.signed_at !== null) return null;
  if (place.kind === "first-read") return digitsOfFirstRead(reading, place.part);
  const question = questionAt(reading, place);
  if (question !== null) {
    const { kind, options } = question.criterion;
    if (options.length === 0) return null;
    return { does: kind === "scale" ? "Rate" : "Choose", num: options.length };
  }
  const plausibility = place.kind === "step" ? builtIn(reading, "plausibility") : null;
  return plausibility && { does: "Rate", num: plausibility.options.length };
}

type Part = Extract<Place, { kind: "first-read" }>["part"];

const MOST_SURE = 5;

function digitsOfFirstRead({ first_read }: Reading, part: Part): DigitKeys | null {
  if (part === "confidence") return { does: "Rate", num: MOST_SURE };
  const { choices = [], findings_offered = [] } = first_read ?? {};
  const num = choices.length || findings_offered.length;
  return part === "impression" || num === 0 ? null : { does: "Choose", num };
}

/** What is said where the focus passes from one output to the other: from there on the keys mean another one. */
import type { Reading } from "../api/reading";
import { hasTwo, type Place } from "./place";
import type { RoomState } from "./room-state";

const isCommon = ({ kind }: Place): boolean => kind === "vote" || kind === "case";

const nameOf = ({ side }: Place): string => `output ${side.toUpperCase()}`;

/** Because the reader went there; null where it is the same output, or the case has one. */
export function turned(reading: Reading, from: Place, to: Place): string | null {
  if (!hasTwo(reading) || from.side === to.side || to.kind === "first-read") return null;
  return isCommon(to) ? `O${nameOf(to).slice(1)} is shown now.` : `You are on ${nameOf(to)} now.`;
}

/** By itself, from an item that is complete: to the other output, or to what is asked after both. */
export function wentOnTo(reading: Reading, from: Place, to: Place): Partial<RoomState> {
  if (!isCommon(to)) {
    const turn = turned(reading, from, to);
    return turn === null ? {} : { turn: `O${nameOf(from).slice(1)} is complete. ${turn}` };
  }
  if (isCommon(from)) return {};
  const isOfTwo = hasTwo(reading);
  return {
    hint: isOfTwo ? "Both outputs are rated. Now for both together." : "The output is rated. Now the case.",
  };
}

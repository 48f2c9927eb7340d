/** What the server said of a change that it refused, and what that stops. */
import type { Sent, Stored } from "../api/reading";
import type { Problem } from "./save-state";

/** Nothing is sent after these until something was done about them. */
export const FOR_GOOD: ReadonlySet<Problem["kind"]> = new Set([
  "refused",
  "conflict",
  "out-of-use",
  "closed",
  "over",
]);

export interface Refusal {
  readonly stored?: Stored;
  readonly is_out_of_use?: boolean;
  readonly is_over?: boolean;
  readonly is_closed?: boolean;
  readonly may_take?: boolean;
}

export function problemOf(sent: Sent, sentence: string, body: unknown): Problem {
  const refusal = (body ?? {}) as Refusal;
  const { stored, is_out_of_use: isOutOfUse, is_over: isOver } = refusal;
  if (refusal.is_closed) return { kind: "closed", sentence, mayTake: refusal.may_take === true };
  if (stored) return { kind: "conflict", sentence, mine: sent, stored };
  if (isOver) return { kind: "over", sentence };
  return { kind: isOutOfUse ? "out-of-use" : "refused", sentence };
}

/** How saving stands: what waits, when something was saved last, and what keeps the rest from being sent. */
import type { Answer } from "../api/client";
import type { Confirmed, Reading, Sent, Stored } from "../api/reading";
import type { InstantStorage } from "./last-resort";
import type { Outbox } from "./outbox";

export type Problem =
  | { readonly kind: "unreachable" | "locked-out"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string }
  /** The case is out of use: what waits is kept for the day on which it comes back. */
  | { readonly kind: "out-of-use"; readonly sentence: string }
  /** The case is closed to its reader: what waits is kept in case it opens again; the pool's next may be taken. */
  | { readonly kind: "closed"; readonly sentence: string; readonly mayTake: boolean }
  /** Nothing of this case can be saved any more: its reader study is locked. */
  | { readonly kind: "over"; readonly sentence: string }
  /** Another window changed the same item: nothing is sent until the reader has chosen. */
  | { readonly kind: "conflict"; readonly sentence: string; readonly mine: Sent; readonly stored: Stored };

export interface SaveState {
  readonly numWaiting: number;
  readonly savedAt: string | null;
  /** Whether unsent changes outlive the page. */
  readonly isKept: boolean;
  readonly problem: Problem | null;
}

/** What waits would be gone with this page. */
export function wouldBeLost({ isKept, numWaiting }: SaveState): boolean {
  return !isKept && numWaiting > 0;
}

export type SavedReading = Pick<Reading, "uid" | "case_label" | "saved_at" | "latest_changes">;

export interface Surroundings {
  readonly account: string;
  readonly outbox: Outbox;
  readonly storage: InstantStorage;
  send(reading: string, sent: Sent): Promise<Answer<Confirmed>>;
}

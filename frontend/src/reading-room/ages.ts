/** How long ago something was done that the server hears of only now: by a stopwatch, for a clock on the wall may
 * be wrong, and put right meanwhile. */
import type { Sent } from "../api/reading";

/** The server takes no more. */
export const MOST_SECONDS_AGO = 24 * 3600;

export class Ages {
  private readonly since = new Map<string, number>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  get areCounted(): boolean {
    return this.since.size > 0;
  }

  begin(change: Sent): void {
    if (hasAge(change)) this.since.set(change.change_id, this.now());
  }

  end(change: Sent): void {
    this.since.delete(change.change_id);
  }

  /** The same with its age at this moment. Of what an earlier page did, only how old it was there is known. */
  aged(change: Sent): Sent {
    const since = this.since.get(change.change_id);
    if (since === undefined || !hasAge(change)) return change;
    const seconds = Math.floor((this.now() - since) / 1000);
    return { ...change, seconds_ago: Math.min(seconds, MOST_SECONDS_AGO) };
  }
}

type Aged = Extract<Sent, { readonly seconds_ago: number }>;

/** Each other change counts from when the server has it. */
function hasAge(change: Sent): change is Aged {
  return change.kind === "open" || change.kind === "sign";
}

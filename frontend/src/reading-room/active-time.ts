/** How long the reader was at work on a case: time without a sign of life counts for 60 seconds at most. */

export const IDLE_SECONDS = 60;
const REPORT_SECONDS = 20;

export class ActiveTime {
  private lastSignMs: number;
  private unreportedMs = 0;

  constructor(nowMs: number) {
    this.lastSignMs = nowMs;
  }

  /** A key, a click or a movement at this moment. */
  sign(nowMs: number): void {
    this.unreportedMs += Math.min(Math.max(nowMs - this.lastSignMs, 0), IDLE_SECONDS * 1000);
    this.lastSignMs = nowMs;
  }

  /** What was before this moment is no work on the case: help was open. */
  leaveOut(nowMs: number): void {
    this.lastSignMs = nowMs;
  }

  /** Whole seconds to be reported now; 0 while they are too few to be worth a request. */
  take({ atLeast = REPORT_SECONDS }: { atLeast?: number } = {}): number {
    const seconds = Math.floor(this.unreportedMs / 1000);
    if (seconds < Math.max(atLeast, 1)) return 0;
    this.unreportedMs -= seconds * 1000;
    return seconds;
  }

  /** Not yet reported, whole seconds. */
  get pendingSeconds(): number {
    return Math.floor(this.unreportedMs / 1000);
  }
}

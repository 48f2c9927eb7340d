/** How long the reader was at work on the case in this window: while they are at another one, that one counts. */
import { ActiveTime } from "./active-time";
import type { Windows } from "./windows";

export class TimeAtWork {
  private time: ActiveTime;
  private isHere = false;

  constructor(
    private readonly windows: Windows,
    toldElsewhere: () => void,
    private readonly now: () => number = Date.now,
  ) {
    this.time = new ActiveTime(now());
    windows.onClaimedElsewhere(() => {
      this.isHere = false;
      toldElsewhere();
    });
  }

  /** A case comes onto the screen. */
  begin(): void {
    this.time = new ActiveTime(this.now());
    this.isHere = false;
    this.sign();
  }

  /** A key, click or movement. What was before it counts only where the reader was here all the while. */
  sign(): void {
    if (!this.windows.isAttended()) return;
    if (this.isHere) return this.time.sign(this.now());
    this.windows.claim();
    this.isHere = true;
    this.time.leaveOut(this.now());
  }

  /** The reader turns away: until now they were here. */
  stop(): void {
    if (this.isHere) this.time.sign(this.now());
    this.isHere = false;
  }

  /** What was before this moment is no work on the case: help was open. */
  leaveOut(): void {
    this.time.leaveOut(this.now());
  }

  /** Whole seconds to be reported now; 0 while they are too few to be worth a request. */
  take(enough: { atLeast?: number } = {}): number {
    return this.time.take(enough);
  }

  /** Not yet reported, whole seconds. */
  get pendingSeconds(): number {
    return this.time.pendingSeconds;
  }
}

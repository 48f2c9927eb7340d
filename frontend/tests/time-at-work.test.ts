import { describe, expect, it } from "vitest";
import { TimeAtWork } from "../src/reading-room/time-at-work";
import type { Windows } from "../src/reading-room/windows";

/** Windows on one desk: what one claims, all others hear. */
class Screen {
  nowMs = 0;
  private readonly listeners = new Map<TestWindow, () => void>();

  open(): TestWindow {
    const made = new TestWindow(this);
    made.time.begin();
    return made;
  }

  hear(window: TestWindow, listener: () => void): void {
    this.listeners.set(window, listener);
  }

  claim(by: TestWindow): void {
    for (const [window, listener] of this.listeners) if (window !== by) listener();
  }
}

class TestWindow implements Windows {
  hasFocus = true;
  reported = 0;
  readonly time: TimeAtWork;

  constructor(private readonly screen: Screen) {
    const elsewhere = () => this.report();
    this.time = new TimeAtWork(this, elsewhere, () => screen.nowMs);
  }

  isAttended = () => this.hasFocus;
  claim = () => this.screen.claim(this);
  onClaimedElsewhere = (listener: () => void) => this.screen.hear(this, listener);
  close = () => {};

  report(): void {
    this.reported += this.time.take({ atLeast: 1 });
  }

  /** The reader moves the mouse here every five seconds. */
  work(seconds: number): void {
    this.time.sign();
    for (let done = 0; done < seconds; done += 5) {
      this.screen.nowMs += 5_000;
      this.time.sign();
    }
    this.report();
  }
}

describe("time at work in two windows", () => {
  it("is counted in the one where the reader is, and adds up to the time that passed", () => {
    const screen = new Screen();
    const one = screen.open();
    one.work(20);
    const other = screen.open();
    other.work(30);
    one.work(10);
    other.work(5);
    expect([one.reported, other.reported]).toEqual([30, 35]);
    expect(one.reported + other.reported).toBe(screen.nowMs / 1000);
  });

  it("stands still in a window that is only in sight, though the mouse goes over it", () => {
    const screen = new Screen();
    const one = screen.open();
    const other = screen.open();
    one.hasFocus = false;
    one.time.stop();
    one.work(30);
    expect(one.reported).toBe(0);
    other.work(10);
    expect(other.reported).toBe(40);
  });

  it("goes on until the reader turns away, and begins anew when they are back", () => {
    const screen = new Screen();
    const one = screen.open();
    one.work(10);
    screen.nowMs += 40_000;
    one.time.stop();
    one.hasFocus = false;
    screen.nowMs += 50_000;
    one.hasFocus = true;
    one.work(5);
    expect(one.reported).toBe(55);
  });

  it("is told at once where another window takes over, so that nothing is left for later", () => {
    const screen = new Screen();
    const one = screen.open();
    screen.nowMs += 7_000;
    one.time.sign();
    screen.open();
    expect(one.reported).toBe(7);
    screen.nowMs += 30_000;
    one.report();
    expect(one.reported).toBe(7);
  });

  it("does not begin in a window that is opened out of sight", () => {
    const screen = new Screen();
    const one = screen.open();
    const behind = new TestWindow(screen);
    behind.hasFocus = false;
    behind.time.begin();
    one.work(20);
    expect([one.reported, behind.reported]).toEqual([20, 0]);
  });
});

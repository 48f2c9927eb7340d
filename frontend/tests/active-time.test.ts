import { describe, expect, it } from "vitest";
import { ActiveTime } from "../src/reading-room/active-time";

describe("active time", () => {
  it("leaves out what is longer than a minute without a sign of life", () => {
    const time = new ActiveTime(0);
    time.sign(30_000);
    time.sign(40_000);
    time.sign(3_640_000);
    expect(time.pendingSeconds).toBe(100);
  });

  it("is reported in whole seconds, each once", () => {
    const time = new ActiveTime(0);
    time.sign(19_000);
    expect(time.take()).toBe(0);
    time.sign(21_500);
    expect(time.take()).toBe(21);
    expect(time.take({ atLeast: 1 })).toBe(0);
    time.sign(22_100);
    expect(time.take({ atLeast: 1 })).toBe(1);
  });
});

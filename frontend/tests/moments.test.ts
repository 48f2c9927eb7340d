import { afterEach, expect, test, vi } from "vitest";
import { clock, day, moment } from "../src/moments";

afterEach(() => vi.unstubAllEnvs());

test("a moment is written in the zone of who looks at it, a day is the same everywhere", () => {
  for (const [zone, at, on] of [
    ["UTC", "15:04:09", "5 Dec 2026, 15:04"],
    ["Asia/Tokyo", "00:04:09", "6 Dec 2026, 00:04"],
    ["America/New_York", "10:04:09", "5 Dec 2026, 10:04"],
  ] as const) {
    vi.stubEnv("TZ", zone);
    expect(clock("2026-12-05T15:04:09+00:00")).toBe(at);
    expect(moment("2026-12-05T15:04:09+00:00")).toBe(on);
    expect(day("2026-12-05")).toBe("5 Dec 2026");
  }
});

import { expect, test } from "vitest";
import { timeLeft } from "../src/upload/time-left";

test.each([
  [4, 100, 1000, ""],
  [100, 100, 0, ""],
  [10, 10, 44, "less than a minute left"],
  [10, 10, 60, "about a minute left"],
  [10, 10, 600, "about 10 minutes left"],
  [10, 10, 7200, "about 2 hours left"],
])("%i files in %i s leave for %i more: %s", (numDone, seconds, numLeft, said) => {
  expect(timeLeft(numDone, seconds, numLeft)).toBe(said);
});

/** How long the files that wait will take, by those that were done. */

/** Fewer tell little: the first ones wake up what the others find awake. */
const FEWEST_DONE = 5;

/** Such as "about 3 minutes left"; nothing where it can't be said yet. */
export function timeLeft(numDone: number, seconds: number, numLeft: number): string {
  if (numDone < FEWEST_DONE || numLeft === 0) return "";
  const left = (seconds / numDone) * numLeft;
  if (left < 45) return "less than a minute left";
  const minutes = Math.round(left / 60);
  if (minutes < 90) return `about ${minutes <= 1 ? "a minute" : `${minutes} minutes`} left`;
  return `about ${Math.round(minutes / 60)} hours left`;
}

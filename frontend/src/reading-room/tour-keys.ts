/** What a key means while the tour is open: what is typed there is for nobody, and nothing of it presses a button. */

export type Meaning = "on" | "back" | "sheet" | "nothing" | "button's";

/** After a letter, a space or an Enter within this time is of the words, not of a button. */
const WITHIN_WORDS_MS = 800;

const PRESSES: ReadonlySet<string> = new Set([" ", "Enter"]);

type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "timeStamp">;

/** Of one tour, key by key: Tab, Escape and what presses the focused button stay the browser's. */
export function meaningOf(): (press: Press) => Meaning {
  let letterAt = Number.NEGATIVE_INFINITY;
  return ({ key, ctrlKey, metaKey, altKey, repeat, timeStamp }) => {
    const isPlain = !ctrlKey && !metaKey && !altKey;
    if (isPlain && key === "ArrowRight") return "on";
    if (isPlain && key === "ArrowLeft") return "back";
    const isWithinWords = timeStamp - letterAt < WITHIN_WORDS_MS;
    if (isPlain && key === "?" && !isWithinWords) return "sheet";
    if (PRESSES.has(key)) {
      if (isWithinWords) letterAt = timeStamp;
      // Held down it would run through the tour and press what comes after it.
      return isPlain && !isWithinWords && !repeat ? "button's" : "nothing";
    }
    if (key.length > 1 || !isPlain) return "button's";
    letterAt = timeStamp;
    return "nothing";
  };
}

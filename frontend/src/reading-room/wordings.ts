/** A step's words without the boxes that the model wrote into them: those a reader moves on the film. */

/** With the word that ties the box to its sentence: rl_feedback/corrections.py cuts alike. */
const TIED_BOX = /\s*(?:,|\b(?:with|and|at|in)\b)?\s*\[\s*-?[\d.]+(?:\s*,\s*-?[\d.]+){3}\s*,?\s*\]/gi;

/** "The heart is enlarged." for "The heart is enlarged with [30, 50, 80, 90]." */
export function wordsOf(text: string): string {
  return text.replace(TIED_BOX, "");
}

/** A box where it stood: at this place among the words. */
interface TiedBox {
  readonly place: number;
  readonly text: string;
}

function boxesOf(text: string): TiedBox[] {
  let numCut = 0;
  return [...text.matchAll(TIED_BOX)].map((found) => {
    const place = found.index - numCut;
    numCut += found[0].length;
    return { place, text: found[0] };
  });
}

/** The reader's words with each of the model's boxes where it stood. Without any where the words around one of them
 * changed: then the step's regions belong to the whole of it. */
export function withBoxes(original: string, words: string): string {
  const boxes = boxesOf(original);
  const kept = keptPlaces(wordsOf(original), words);
  const places = boxes.map(({ place }) => kept(place));
  if (places.some((place) => place === null)) return words;
  let text = words;
  // From the last on, so that the places of those before stay.
  for (const [at, box] of [...boxes.entries()].reverse()) {
    const place = places[at] ?? words.length;
    const rest = text.slice(place);
    text = text.slice(0, place) + box.text + (/^[\p{L}\p{N}]/u.test(rest) ? " " : "") + rest;
  }
  return text;
}

const WORDS = /[\p{L}\p{N}]+|\s+|[^\p{L}\p{N}\s]/gu;
const END = /[\s.]*$/;

/** Where a place of the words before is among those of now: at the end, or beside words that stayed. */
function keptPlaces(before: string, now: string): (place: number) => number | null {
  const [old, made] = [before.match(WORDS) ?? [], now.match(WORDS) ?? []];
  const head = numAlike(old, made);
  const tail = numAlike(old.slice(head).reverse(), made.slice(head).reverse());
  const headLength = old.slice(0, head).join("").length;
  const tailLength = old.slice(old.length - tail).join("").length;
  const end = before.search(END);
  return (place) => {
    if (place >= end) return now.search(END);
    if (before.length - place <= tailLength) return now.length - (before.length - place);
    return place <= headLength ? place : null;
  };
}

function numAlike(one: readonly string[], other: readonly string[]): number {
  const at = one.findIndex((word, index) => word !== other[index]);
  return at < 0 ? one.length : at;
}

/**
 * How far a running inference is, for who hears the page: its part is swapped in every second, and a place that stays
 * says a sentence when it is another one.
 */
export function sayHowFar(root: Document): void {
  root.addEventListener("htmx:afterSwap", () => {
    const place = root.querySelector("#inference-said");
    const part = root.querySelector<HTMLElement>("#inference-live");
    const sentence = part?.dataset.said ?? "";
    // Where nothing was under way there is no end to be told.
    const isTold = part?.hasAttribute("hx-get") || place?.textContent !== "";
    if (place && isTold && sentence !== place.textContent) place.textContent = sentence;
  });
}

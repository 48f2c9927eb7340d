/** Where bars above a film have a broken height, the browser would draw it between the screen's pixels: at 1:1 each
 * would be a mixture of its neighbours. */

/** What a broken number of pixels may be off by and count as whole: layout has 1/64 of one. */
const NEARLY = 1e-3;
/** Page pixels that are left free at most, for ratios of which no fewer make whole pixels of the screen. */
const MOST_FREE = 20;

/** Lays `element`, which fills its parent, on whole pixels of the screen. Its size is whole in pixels of the page
 * too, of which its canvas is made. */
export function layOnWholePixels(element: HTMLElement): void {
  const parent = element.parentElement;
  if (parent === null) return;
  const { left, top, right, bottom } = parent.getBoundingClientRect();
  const x = laid(left, right);
  const y = laid(top, bottom);
  element.style.inset = [y.before, x.after, y.after, x.before].map((pixels) => `${pixels}px`).join(" ");
}

function laid(from: number, to: number): { before: number; after: number } {
  const before = Math.ceil(from * devicePixelRatio - NEARLY) / devicePixelRatio - from;
  const unit = pagePixels();
  const size = Math.max(0, Math.floor((to - from - before + NEARLY) / unit) * unit);
  return { before, after: to - from - before - size };
}

/** The fewest pixels of the page that are a whole number of the screen's. */
function pagePixels(): number {
  for (let count = 1; count <= MOST_FREE; count += 1) {
    const onScreen = count * devicePixelRatio;
    if (Math.abs(onScreen - Math.round(onScreen)) < NEARLY) return count;
  }
  return 1;
}

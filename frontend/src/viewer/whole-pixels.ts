/** Where bars above a film have a broken height, the browser would draw it between the screen's pixels: at 1:1 each
 * would be a mixture of its neighbours. */

/** What a broken number of pixels may be off by and count as whole: layout has 1/64 of one. */
const NEARLY = 1e-3;

/** Lays `element`, which fills its parent, on whole pixels of the screen: less than one is left free at each edge. */
export function layOnWholePixels(element: HTMLElement): void {
  const parent = element.parentElement;
  if (parent === null) return;
  const { left, top, right, bottom } = parent.getBoundingClientRect();
  const after = (at: number): number => Math.ceil(at * devicePixelRatio - NEARLY) / devicePixelRatio - at;
  const before = (at: number): number => at - Math.floor(at * devicePixelRatio + NEARLY) / devicePixelRatio;
  const free = [after(top), before(right), before(bottom), after(left)];
  element.style.inset = free.map((pixels) => `${pixels}px`).join(" ");
}

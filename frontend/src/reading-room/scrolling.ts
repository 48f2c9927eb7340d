/** The gap that keeps a case from being signed may have the focus already and yet be scrolled away. */
export function showCurrentItem(): void {
  const item = [...document.querySelectorAll<HTMLElement>(".room .current")].at(-1);
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

/** The keys are for the item that has the reader's focus; nothing is scrolled. */
export function focusCurrentItem(): void {
  document.querySelector<HTMLElement>(".room .current")?.focus({ preventScroll: true });
}

/** Of an item that is about to go: taken off the page with the focus, the page is laid out for it alone. */
export function letGoOfFocus(): void {
  (document.activeElement as HTMLElement | SVGElement | null)?.blur();
}

/** What the reader works on may lie below the fold, scrolled away or because the window got smaller. */
export function keepCurrentItemInSight(): void {
  [...document.querySelectorAll(".room .current")].at(-1)?.scrollIntoView({ block: "nearest" });
}

/** The next case takes the place of one that was scrolled to its end: its question comes first. */
export function beginAtTop(): void {
  document.querySelector(".room-scroll")?.scrollTo({ top: 0, behavior: "instant" });
}

/** A pointer that rests so long is about to click nothing. */
const RESTS_MS = 1_000;

/** What lies over the end of the list takes that much from it. The item in the focus is moved clear of it: at once, or
 * under a pointer that moves, which may be about to click, once that rests. Returns the function that stops it. */
export function keepListClearOf(over: HTMLElement): () => void {
  const list = over.parentElement;
  const stopped = new AbortController();
  let height = 0;
  let movedAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | undefined;
  for (const kind of ["pointermove", "pointerdown"] as const) {
    list?.addEventListener(kind, ({ timeStamp }) => (movedAt = timeStamp), stopped);
  }
  const makeClear = (): void => {
    clearTimeout(later);
    const restsIn = movedAt + RESTS_MS - performance.now();
    if (restsIn <= 0 || !list?.matches(":hover")) keepCurrentItemInSight();
    else later = setTimeout(makeClear, restsIn);
  };
  const watch = new ResizeObserver(() => {
    const grows = over.offsetHeight > height;
    height = over.offsetHeight;
    list?.style.setProperty("--covered", `${height}px`);
    if (grows) makeClear();
  });
  watch.observe(over);
  return () => {
    stopped.abort();
    clearTimeout(later);
    watch.disconnect();
  };
}

/** After a click on a film's button the keys are for the item again, not for the button; after a key they stay. */
export function giveKeysBack({ detail }: Pick<UIEvent, "detail">): void {
  if (detail > 0) focusCurrentItem();
}

/** The gap that keeps a case from being signed may have the focus already and yet be scrolled away. */
export function showCurrentItem(): void {
  const item = [...document.querySelectorAll<HTMLElement>(".room .current")].at(-1);
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

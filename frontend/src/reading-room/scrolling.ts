/** The gap that keeps a case from being signed may have the focus already and yet be scrolled away. */
export function showCurrentItem(): void {
  const item = document.querySelector<HTMLElement>(".room .current");
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

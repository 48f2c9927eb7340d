/** Parts of a page that a person opened stay open in this tab: over a reload, and when the page comes anew. */

const KEPT = "deepmedix-kept-open:";

export function keepOpen(page: Document, kept: Storage = sessionStorage): void {
  for (const part of page.querySelectorAll<HTMLDetailsElement>("details[data-keeps-open]")) {
    const name = `${KEPT}${part.dataset.keepsOpen}`;
    if (kept.getItem(name) !== null) part.open = true;
    part.addEventListener("toggle", () => {
      if (part.open) kept.setItem(name, "open");
      else kept.removeItem(name);
    });
  }
}

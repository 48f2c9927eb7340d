/** A list with a tick in each row: all at once, those that are new, a range with Shift, and how many are ticked. */

export function enhanceTicks(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("[data-ticks]")) enhance(form);
}

function enhance(form: HTMLFormElement): void {
  const boxes = [...form.querySelectorAll<HTMLInputElement>(".tick input")];
  const place = form.querySelector("[data-ticks-all-place]");
  const button = form.querySelector<HTMLButtonElement>("[data-ticks-do]");
  const news = form.querySelector<HTMLButtonElement>("[data-ticks-new]");
  const told = form.querySelector("[data-ticks-told]");
  if (!place || !button || !news || !told) return;
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", "Tick all");
  all.autocomplete = "off";
  place.replaceWith(all);
  const newOnes = boxes.filter((box) => "new" in box.dataset);
  news.hidden = newOnes.length === 0 || newOnes.length === boxes.length;

  const tell = (): void => {
    const num = boxes.filter((box) => box.checked).length;
    all.checked = num === boxes.length;
    all.indeterminate = num > 0 && num < boxes.length;
    told.textContent =
      num === 0 ? "None is ticked. Space ticks, Shift and a click a range." : `${num} ticked`;
  };
  let last: HTMLInputElement | undefined;
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last) {
        const ends = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const between of boxes.slice(ends[0], (ends[1] ?? 0) + 1)) between.checked = box.checked;
      }
      last = box;
      tell();
    });
  }
  all.addEventListener("click", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  news.addEventListener("click", () => {
    for (const box of boxes) box.checked = "new" in box.dataset;
    tell();
  });
  tell();
}

/** The boxes as rows of numbers: what is sent, and the way without a mouse. */
import { type Box, boxProblem, type Size, withinFilm } from "../viewer/geometry";
import type { Mask } from "./masks";

const EDGES = ["x_min", "y_min", "x_max", "y_max"] as const;

interface RowHost {
  typed(uid: string, box: Box): void;
  taken(uid: string): void;
  removed(uid: string): void;
}

export class Rows {
  private readonly pattern: HTMLElement;

  constructor(
    private readonly list: HTMLElement,
    private readonly film: Size,
    host: RowHost,
  ) {
    const [first] = this.rows();
    if (first === undefined) throw new Error("The list of boxes has no row");
    this.pattern = first.cloneNode(true) as HTMLElement;
    const uidOf = (event: Event): string | undefined =>
      (event.target as Element).closest<HTMLElement>("[data-mask-row]")?.dataset.uid;
    list.addEventListener("input", (event) => {
      const row = (event.target as Element).closest<HTMLElement>("[data-mask-row]");
      const uid = uidOf(event);
      if (row === null || uid === undefined) return;
      const box = this.read(row);
      for (const field of fieldsOf(row)) field.setAttribute("aria-invalid", String(box === null));
      if (box !== null) host.typed(uid, box);
    });
    list.addEventListener("focusin", (event) => {
      const uid = uidOf(event);
      if (uid !== undefined) host.taken(uid);
    });
    list.addEventListener("click", (event) => {
      const uid = uidOf(event);
      if (uid !== undefined && (event.target as Element).closest("[data-mask-remove]")) host.removed(uid);
    });
  }

  /** What the server wrote into the page: boxes that it refused, or that failed. One that lies beside the film is
   * brought onto it, to be seen. */
  written(): Box[] {
    const boxes = this.rows().map(boxOf);
    return boxes.filter(isWhole).map((box) => withinFilm(box, this.film));
  }

  show(masks: readonly Mask[], inHand: string | null): void {
    const known = new Map(this.rows().map((row) => [row.dataset.uid, row]));
    const rows = masks.map(({ uid, box }, at) => {
      const row = known.get(uid) ?? this.made(uid);
      for (const number of row.querySelectorAll("[data-mask-number]")) number.textContent = String(at + 1);
      for (const [place, field] of fieldsOf(row).entries()) {
        const edge = EDGES[place];
        // Whoever types in it is not typed over.
        if (edge === undefined || field === document.activeElement) continue;
        field.value = String(box[edge]);
        field.removeAttribute("aria-invalid");
      }
      row.classList.toggle("in-hand", uid === inHand);
      return row;
    });
    for (const row of this.rows()) if (!rows.includes(row)) row.remove();
    for (const row of rows) if (!row.isConnected) this.list.append(row);
  }

  private rows(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[data-mask-row]")];
  }

  private made(uid: string): HTMLElement {
    const row = this.pattern.cloneNode(true) as HTMLElement;
    row.dataset.uid = uid;
    for (const hidden of row.querySelectorAll<HTMLElement>("[data-mask-remove]")) hidden.hidden = false;
    return row;
  }

  private read(row: HTMLElement): Box | null {
    const box = boxOf(row);
    return isWhole(box) && boxProblem(box, this.film) === null ? box : null;
  }
}

function boxOf(row: HTMLElement): Box {
  const numbers = fieldsOf(row).map(({ value }) => (value.trim() === "" ? Number.NaN : Number(value)));
  const [x_min = Number.NaN, y_min = Number.NaN, x_max = Number.NaN, y_max = Number.NaN] = numbers;
  return { x_min, y_min, x_max, y_max };
}

function isWhole(box: Box): boolean {
  return EDGES.every((edge) => Number.isInteger(box[edge]));
}

function fieldsOf(row: HTMLElement): HTMLInputElement[] {
  return EDGES.flatMap((edge) => [...row.querySelectorAll<HTMLInputElement>(`input[name=${edge}]`)]);
}

/** What is seen of an import under way: how far it is, what stops it, and each file that asks for something. */
import type { Result } from "./queue";

const TONES: Record<Result["outcome"], string> = {
  accepted: "good",
  "handed over": "good",
  duplicate: "quiet",
  held: "warn",
  refused: "bad",
  "not sent": "bad",
};

/** All of them stand in the list of the latest files too, which turns pages. */
const MOST_ROWS = 200;

export class ResultList {
  private readonly body: HTMLTableSectionElement;
  private readonly table: HTMLTableElement;
  private readonly more = paragraph("quiet");
  private current: CurrentRow | null = null;

  constructor(place: HTMLElement) {
    this.table = document.createElement("table");
    this.table.className = "grid results-of-import";
    this.table.hidden = true;
    this.table.createCaption().textContent = "Of the files just sent, those that are more than accepted";
    const head = this.table.createTHead().insertRow();
    for (const title of ["File", "Outcome", "Study", "Reason"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    this.body = this.table.createTBody();
    this.more.textContent = `The last ${MOST_ROWS} are shown here. All that was judged is below.`;
    this.more.hidden = true;
    place.append(this.table, this.more);
  }

  /** The one on its way; null where none is. */
  showCurrent(name: string | null): void {
    if (this.current?.name === name) return;
    this.current?.row.remove();
    this.current = name === null ? null : new CurrentRow(this.body.insertRow(0), name);
    this.table.hidden = this.body.rows.length === 0;
  }

  showProgress(share: number): void {
    this.current?.showProgress(share);
  }

  /** An accepted one stands in the list of the latest files below, an archive in that of the archives. */
  add(result: Result): void {
    this.showCurrent(null);
    if (result.outcome !== "accepted" && result.outcome !== "handed over")
      fill(this.body.insertRow(0), result);
    if (this.body.rows.length > MOST_ROWS) {
      this.body.rows[MOST_ROWS]?.remove();
      this.more.hidden = false;
    }
    this.table.hidden = this.body.rows.length === 0;
  }

  /** Before they are sent again. */
  dropUnsent(): void {
    for (const row of this.body.querySelectorAll("[data-not-sent]")) row.remove();
    this.table.hidden = this.body.rows.length === 0;
  }
}

class CurrentRow {
  private readonly bar = document.createElement("progress");
  private readonly reason: HTMLTableCellElement;

  constructor(
    readonly row: HTMLTableRowElement,
    readonly name: string,
  ) {
    row.append(nameCell(name));
    row.insertCell().append(this.bar);
    row.insertCell();
    this.reason = row.insertCell();
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", `Upload of ${name}`);
  }

  showProgress(share: number): void {
    if (share < 1) {
      this.bar.value = share;
      return;
    }
    this.bar.removeAttribute("value");
    this.reason.textContent = "being checked";
  }
}

function fill(row: HTMLTableRowElement, { name, outcome, reason, study }: Result): void {
  row.append(nameCell(name));
  row.toggleAttribute("data-not-sent", outcome === "not sent");
  const chip = document.createElement("span");
  chip.className = `chip ${TONES[outcome]}`;
  chip.textContent = outcome;
  row.insertCell().append(chip);
  const place = row.insertCell();
  row.insertCell().textContent = reason;
  if (study === null) return;
  const link = document.createElement("a");
  link.href = `/studies/${study}/`;
  link.className = "mono";
  link.textContent = `S-${study.slice(0, 8)}`;
  place.append(link);
}

function nameCell(name: string): HTMLTableCellElement {
  const cell = document.createElement("th");
  cell.scope = "row";
  cell.className = "mono";
  cell.textContent = name;
  return cell;
}

export function paragraph(className: string): HTMLParagraphElement {
  const element = document.createElement("p");
  element.className = className;
  return element;
}

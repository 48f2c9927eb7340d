/**
 * Uploading: each file is its own request, so one bad file stops no other, and none waits unseen. The files of one
 * drop are one import: the first answer names it, and the others go on with it.
 */
import { csrfToken } from "./api/client";
import type { ImportBatch, ImportItem } from "./api/studies";

const TONES: Record<ImportItem["outcome"], string> = {
  accepted: "good",
  duplicate: "quiet",
  held: "warn",
  refused: "bad",
};

/** Gives every `<form data-upload>` a drop area, a progress bar per file, and a result per file. */
export function enhanceUploads(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-upload]")) enhance(form);
}

function enhance(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>("input[type=file]");
  const results = form.parentElement?.querySelector<HTMLElement>("[data-upload-results]");
  const url = form.dataset.uploadUrl;
  if (!input || !results || !url) return;
  const list = new ResultList(results);
  const queue = new UploadQueue(url, list);

  form.classList.add("drop");
  const hint = document.createElement("p");
  hint.className = "quiet";
  hint.textContent = "or drop files here";
  input.closest("p")?.after(hint);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    queue.add([...(input.files ?? [])]);
    form.reset();
  });
  for (const kind of ["dragenter", "dragover"] as const) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    queue.add([...(event.dataTransfer?.files ?? [])]);
  });
  window.addEventListener("beforeunload", (event) => {
    if (queue.isBusy) event.preventDefault();
  });
}

interface Drop {
  /** As the server named it; null until a file of it has arrived. */
  batch: string | null;
}

/** One file at a time: the server decodes each in a process of its own, and order makes the list readable. */
class UploadQueue {
  private readonly waiting: { file: File; row: ResultRow; drop: Drop }[] = [];
  isBusy = false;

  constructor(
    private readonly url: string,
    private readonly list: ResultList,
  ) {}

  add(files: readonly File[]): void {
    const drop: Drop = { batch: null };
    for (const file of files) this.waiting.push({ file, row: this.list.addRow(file.name), drop });
    if (!this.isBusy) void this.work();
  }

  private async work(): Promise<void> {
    this.isBusy = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      const { file, row, drop } = next;
      const result = await send(this.url, file, drop, (share) => row.showProgress(share));
      // An accepted one stands in the list of the latest files below: here is what asks for something.
      if (result.outcome === "accepted") row.remove();
      else row.showResult(result);
      this.list.count(result.is_to_look_at ? "to look at" : result.outcome);
    }
    this.isBusy = false;
  }
}

interface Result {
  readonly outcome: ImportItem["outcome"] | "not sent";
  readonly is_to_look_at?: boolean;
  readonly reason: string;
  readonly study: string | null;
}

/** XMLHttpRequest, since fetch tells nothing about how much of a body was sent. */
function send(url: string, file: File, drop: Drop, progress: (share: number) => void): Promise<Result> {
  return new Promise((resolve) => {
    const failed = (reason: string): void => resolve({ outcome: "not sent", reason, study: null });
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("error", () => failed("The server cannot be reached. Send this file again."));
    request.addEventListener("load", () => {
      const answer = request.response as ImportBatch | null;
      const item = answer?.items?.[0];
      if (request.status === 201 && item) {
        drop.batch = answer.batch;
        return resolve({ ...item, reason: item.reason ?? "" });
      }
      const detail = (request.response as { detail?: unknown } | null)?.detail;
      failed(
        typeof detail === "string" ? detail : `The server answered ${request.status}. Send this file again.`,
      );
    });
    const body = new FormData();
    body.append("files", file);
    if (drop.batch !== null) body.append("batch", drop.batch);
    request.send(body);
  });
}

class ResultList {
  private readonly body: HTMLTableSectionElement;
  private readonly caption: HTMLTableCaptionElement;
  private readonly counts = new Map<string, number>();
  private num = 0;

  constructor(private readonly place: HTMLElement) {
    const table = document.createElement("table");
    table.className = "grid results-of-import";
    this.caption = table.createCaption();
    const head = table.createTHead().insertRow();
    for (const title of ["File", "Outcome", "Study", "Reason"]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = title;
      head.append(cell);
    }
    this.body = table.createTBody();
  }

  addRow(fileName: string): ResultRow {
    if (this.num === 0) this.place.replaceChildren(this.body.parentElement as HTMLElement);
    this.num += 1;
    this.tell();
    return new ResultRow(this.body.insertRow(), fileName);
  }

  count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
    this.tell();
  }

  private tell(): void {
    const done = [...this.counts.values()].reduce((sum, n) => sum + n, 0);
    const parts = [...this.counts].map(([outcome, n]) => `${n} ${outcome}`);
    const files = this.num === 1 ? "1 file" : `${this.num} files`;
    const said = done < this.num ? `Importing ${files}, ${done} done` : files;
    this.caption.textContent = [said, ...parts].join(" · ");
  }
}

class ResultRow {
  private readonly outcome: HTMLTableCellElement;
  private readonly study: HTMLTableCellElement;
  private readonly reason: HTMLTableCellElement;
  private readonly bar = document.createElement("progress");

  constructor(
    private readonly row: HTMLTableRowElement,
    fileName: string,
  ) {
    const name = document.createElement("th");
    name.scope = "row";
    name.className = "mono";
    name.textContent = fileName;
    row.append(name);
    this.outcome = row.insertCell();
    this.study = row.insertCell();
    this.reason = row.insertCell();
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", `Upload of ${fileName}`);
    this.outcome.append(this.bar);
  }

  remove(): void {
    this.row.remove();
  }

  showProgress(share: number): void {
    if (share < 1) {
      this.bar.value = share;
      return;
    }
    this.bar.removeAttribute("value");
    this.reason.textContent = "being checked";
  }

  showResult({ outcome, reason, study }: Result): void {
    const chip = document.createElement("span");
    chip.className = `chip ${outcome === "not sent" ? "bad" : TONES[outcome]}`;
    chip.textContent = outcome;
    this.outcome.replaceChildren(chip);
    this.reason.textContent = reason;
    if (study === null) return;
    const link = document.createElement("a");
    link.href = `/studies/${study}/`;
    link.className = "mono";
    link.textContent = `S-${study.slice(0, 8)}`;
    this.study.replaceChildren(link);
  }
}

/** Uploading: each file is its own request, so one bad file stops no other, and none waits unseen. */
import { isArchive, sendArchiveTo } from "./archives";
import { chosenFiles, filesOf } from "./dropped";
import { ImportProgress } from "./progress";
import { type NamedFile, UploadQueue } from "./queue";
import { ResultList } from "./results";
import { type Send, sendFilmTo } from "./sending";

/** Gives every `<form data-upload>` a drop area, progress, and what became of each file that asks for something. */
export function enhanceUploads(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-upload]")) enhance(form);
}

function enhance(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("input[name=files]");
  const folderField = form.querySelector<HTMLInputElement>("[data-folder] input");
  const place = form.parentElement?.querySelector<HTMLElement>("[data-upload-results]");
  const profile = form.querySelector<HTMLSelectElement>("select[name=profile]");
  const { uploadUrl, archiveUrl } = form.dataset;
  if (!field || !folderField || !place || !profile || !uploadUrl || !archiveUrl) return;
  const begin = whenFirstNeeded(() => new Import(place, sendTo(uploadUrl, archiveUrl)));
  // The profile stays chosen for what comes next.
  const take = (chosen: HTMLInputElement): void => {
    begin().add(chosenFiles(chosen), profile.value);
    chosen.value = "";
  };

  form.classList.add("drop");
  for (const hidden of form.querySelectorAll<HTMLElement>("[data-needs-script]")) hidden.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(field);
  });
  folderField.addEventListener("change", () => take(folderField));
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
    if (event.dataTransfer !== null) begin().addDropped(event.dataTransfer, profile.value);
  });
}

function sendTo(filmUrl: string, archiveUrl: string): Send {
  const sendFilm = sendFilmTo(filmUrl);
  const sendArchive = sendArchiveTo(archiveUrl, tellArchives);
  return async (file, way) => ((await isArchive(file)) ? sendArchive : sendFilm)(file, way);
}

/** The list of archives renews itself by it. */
function tellArchives(): void {
  document.body.dispatchEvent(new Event("archives-changed"));
}

function whenFirstNeeded<Made>(make: () => Made): () => Made {
  let made: Made | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

class Import {
  private readonly queue: UploadQueue;
  private readonly progress: ImportProgress;
  private readonly list: ResultList;

  constructor(place: HTMLElement, send: Send) {
    place.replaceChildren();
    this.queue = new UploadQueue({
      send,
      progress: (share) => this.list.showProgress(share),
      judged: (result) => {
        this.list.add(result);
        this.progress.judged(result);
        if (result.outcome === "handed over") tellArchives();
      },
      changed: () => this.show(),
    });
    this.progress = new ImportProgress(place, {
      pause: () => this.queue.pause(),
      goOn: () => this.queue.goOn(),
      leaveOut: () => {
        this.progress.leftOut(this.queue.state.numWaiting);
        this.queue.leaveOut();
      },
      sendAgain: () => {
        this.list.dropUnsent();
        this.progress.sendsAgain();
        this.queue.sendAgain();
      },
    });
    this.list = new ResultList(place);
    window.addEventListener("beforeunload", (event) => {
      if (this.queue.isBusy) event.preventDefault();
    });
  }

  add(files: readonly NamedFile[], profile: string): void {
    if (files.length === 0) return this.progress.says("There is no file in it, but for hidden ones.");
    this.queue.add(files, profile);
  }

  addDropped(drop: DataTransfer, profile: string): void {
    filesOf(drop, (numFound) => this.progress.looksThrough(numFound))
      .then((files) => this.add(files, profile))
      .catch(() =>
        this.progress.says("A file or folder that was dropped can't be read. None of them was sent."),
      );
  }

  private show(): void {
    const { state } = this.queue;
    this.list.showCurrent(state.current);
    this.progress.show(state);
  }
}

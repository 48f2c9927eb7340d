/** One film of the sheet in its full size: windows, inverted, zoomed; ticked and left by keys. */
import { openDialog } from "../dialog";
import { StudyFilm } from "../study-film/study-film";

interface Shown {
  readonly picture: HTMLImageElement;
  /** The sheet's own tick, which alone is sent: the one over the film follows it. */
  readonly tick: HTMLInputElement;
  readonly entry: HTMLElement;
  readonly name: string;
  /** Which film of its study it is, where there are several. */
  readonly place: string;
}

export interface Larger {
  /** The sheet's entry of the film that is shown over it; null while none is. */
  shown(): HTMLElement | null;
  next(): void;
}

export function enlargesFilms(sheet: HTMLFormElement, dialog: HTMLDialogElement): Larger {
  const part = <Kind extends HTMLElement>(selector: string): Kind => {
    const found = dialog.querySelector<Kind>(selector);
    if (found === null) throw new Error(`The sheet's dialog has no ${selector}`);
    return found;
  };
  const area = part<HTMLElement>("[data-larger-film]");
  const tick = part<HTMLInputElement>("input");
  const kept = part<HTMLElement>("[data-larger-kept]");
  let films = filmsOf(sheet);
  let at = 0;
  let film: StudyFilm | null = null;
  let close = (): void => {};

  const show = (next: number): void => {
    const shown = films[next];
    if (shown === undefined) return;
    at = next;
    film?.dispose();
    const place = document.createElement("div");
    place.dataset.filmViewer = "";
    area.replaceChildren(place);
    const { filmUrl: url = "", sopInstanceUid = "", fileSha256: sha256 = "" } = shown.picture.dataset;
    film = new StudyFilm(place, { url, sopInstanceUid, sha256 });
    part("h2").textContent = shown.name;
    part("[data-larger-place]").textContent =
      `film ${next + 1} of ${films.length}${shown.place ? `, ${shown.place}` : ""}`;
    follow();
    tick.focus();
  };
  /** What the sheet says of the tick, word by word. */
  const follow = (): void => {
    const shown = films[at];
    if (shown === undefined) return;
    tick.checked = shown.tick.checked;
    tick.disabled = !shown.tick.isConnected;
    kept.textContent = keptBeside(shown.tick);
  };
  /** At either end it stays, so that nobody begins anew unawares. */
  const walk = (by: number): void => show(Math.min(Math.max(at + by, 0), films.length - 1));
  const closed = (): void => {
    film?.dispose();
    film = null;
    const left = [...films.slice(at), ...films.slice(0, at).reverse()];
    left.find((each) => each.tick.isConnected)?.tick.focus();
  };
  const open = (entry: Element | null): void => {
    // Anew each time: what was decided on meanwhile is no film to look at any more.
    films = filmsOf(sheet);
    const next = films.findIndex((each) => entry?.contains(each.tick));
    if (next < 0) return;
    close = openDialog(dialog, closed);
    show(next);
  };

  sheet.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("[data-larger]");
    if (link === null) return;
    event.preventDefault();
    open(link.closest("li"));
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target instanceof HTMLButtonElement) return;
    if (!(event.target as Element).matches("li input[type=checkbox]")) return;
    event.preventDefault();
    open((event.target as Element).closest("li"));
  });
  tick.addEventListener("click", () => {
    if (films[at]?.tick.checked !== tick.checked) films[at]?.tick.click();
  });
  new MutationObserver(follow).observe(sheet, { subtree: true, childList: true, characterData: true });
  dialog.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target instanceof HTMLSelectElement) return;
    if (event.key === "ArrowRight") walk(1);
    if (event.key === "ArrowLeft") walk(-1);
  });
  part("[data-larger-back]").addEventListener("click", () => walk(-1));
  part("[data-larger-on]").addEventListener("click", () => walk(1));
  part("[data-larger-close]").addEventListener("click", () => close());
  return {
    shown: () => (film === null ? null : (films[at]?.entry ?? null)),
    next: () => walk(1),
  };
}

function keptBeside(tick: HTMLInputElement): string {
  // What was found on the film comes first, what is kept of the tick last.
  const words = document.getElementById(tick.getAttribute("aria-describedby")?.split(" ").at(-1) ?? "");
  const unreachable = tick.parentElement?.querySelector("[data-unreachable]");
  return (unreachable ?? words)?.textContent?.trim() ?? "";
}

function filmsOf(sheet: HTMLFormElement): Shown[] {
  return [...sheet.querySelectorAll("li")].flatMap((study) => {
    const tick = study.querySelector<HTMLInputElement>("input[type=checkbox]");
    const pictures = [...study.querySelectorAll<HTMLImageElement>("img[data-film-url]")];
    const name = study.querySelector("[data-larger-name]")?.textContent ?? "";
    if (tick === null) return [];
    return pictures.map((picture, index) => ({
      picture,
      tick,
      entry: study,
      name,
      place: pictures.length > 1 ? `${index + 1} of its study's ${pictures.length}` : "",
    }));
  });
}

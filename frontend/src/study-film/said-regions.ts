/**
 * The regions that a model pointed at: each is drawn on its film while it or its step is pointed at, and stays when
 * pressed. Those of a text that is being written are drawn as they come, dashed.
 */
import type { RegionMark } from "../viewer/film";
import { type Box, isDrawable, placeOnFilm } from "../viewer/geometry";

const REGION = "button[data-region-box]";
const UNFINISHED = "[data-unfinished-region]";
const STEP = "[data-step-regions]";
const NUM_COLOURS = 5;

/** A film that regions can be drawn on. */
interface Canvas {
  readonly size: { readonly width: number; readonly height: number } | null;
  showRegions(marks: readonly RegionMark[]): void;
  bringIntoView(box: Box): void;
}

/** By delegation: the outputs of a running inference are swapped in again and again. */
export function showWhatIsPointedAt(root: Document, films: ReadonlyMap<string, Canvas>): void {
  const kept = new Set<string>();
  let pointed: readonly string[] = [];

  const draw = (): void => {
    const buttons = [...root.querySelectorAll<HTMLButtonElement>(REGION)];
    for (const each of buttons) each.setAttribute("aria-pressed", String(kept.has(uidOf(each))));
    const shown = buttons.filter((each) => kept.has(uidOf(each)) || pointed.includes(uidOf(each)));
    const unfinished = [...root.querySelectorAll<HTMLElement>(UNFINISHED)];
    for (const [uid, film] of films) {
      const marks = [...unfinished, ...shown].filter((each) => each.dataset.film === uid);
      film.showRegions(marks.flatMap((each) => markOf(each, film, pointed.includes(uidOf(each)))));
    }
  };
  const point = (target: EventTarget | null): void => {
    const uids = pointedAt(target);
    if (uids.join() === pointed.join()) return;
    pointed = uids;
    draw();
  };

  root.addEventListener("pointerover", ({ target }) => point(target));
  root.addEventListener("focusin", ({ target }) => point(target));
  root.addEventListener("click", ({ target }) => {
    const region = target instanceof Element ? target.closest<HTMLButtonElement>(REGION) : null;
    if (region === null) return;
    const uid = uidOf(region);
    if (!kept.delete(uid)) {
      kept.add(uid);
      const box = boxOf(region);
      const shownOn = region.dataset.film ?? "";
      const film = films.get(shownOn);
      root
        .querySelector(`[data-film-viewer][data-sop-instance-uid="${CSS.escape(shownOn)}"]`)
        ?.scrollIntoView({ block: "nearest" });
      if (box && film) film.bringIntoView(box);
    }
    draw();
  });
  root.addEventListener("htmx:afterSwap", draw);
  draw();
}

/** The region that is pointed at, or all of the step. */
function pointedAt(target: EventTarget | null): readonly string[] {
  if (!(target instanceof Element)) return [];
  const region = target.closest<HTMLButtonElement>(REGION);
  if (region !== null) return [uidOf(region)];
  return [...(target.closest(STEP)?.querySelectorAll<HTMLButtonElement>(REGION) ?? [])].map(uidOf);
}

function uidOf({ dataset }: HTMLElement): string {
  return dataset.region ?? "";
}

function boxOf({ dataset }: HTMLElement): Box | null {
  const [x_min, y_min, x_max, y_max] = (dataset.regionBox ?? "").split(",").map(Number);
  if (x_min === undefined || y_min === undefined || x_max === undefined || y_max === undefined) return null;
  return { x_min, y_min, x_max, y_max };
}

function markOf(region: HTMLElement, film: Canvas, focused: boolean): RegionMark[] {
  const box = boxOf(region);
  if (box === null || film.size === null) return [];
  const step = Number(region.dataset.step);
  const flawed = !isDrawable(box, film.size);
  return [
    {
      uid: uidOf(region),
      label: region.dataset.label ?? String(step),
      box: placeOnFilm(box, film.size),
      original: null,
      colour: ((step - 1) % NUM_COLOURS) + 1,
      dashed: region.matches(UNFINISHED),
      focused,
      wrong: false,
      flawed,
      adjustable: false,
      reader: null,
    },
  ];
}

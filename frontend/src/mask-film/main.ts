/** The page on which boxes are drawn over the text of a film: by mouse or finger, by keys, by numbers. */
import { getJson } from "../api/client";
import type { FoundText } from "../api/studies";
import { StudyFilm } from "../study-film/study-film";
import type { Size } from "../viewer/geometry";
import { Found } from "./found";
import { Masks, type Moved, snapped } from "./masks";
import { Rows } from "./rows";

/** With Shift: this share of the film's longer side. */
const FAR = 1 / 40;
/** A box that ends so near to the film's edge ends there. Screen pixels. */
const SNAP_PX = 6;
const NUM_COLOURS = 5;
const SUGGESTED_COLOUR = 3;
const ARROWS: Readonly<Record<string, { x: number; y: number }>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const HOW_BY_KEYS =
  "The film. N: a new box. Arrow keys move it, with Ctrl or Alt its edges, with Shift further. Del takes it away, " +
  "U undoes, A takes all lines of print that were found.";

function masksText(form: HTMLFormElement): void {
  const part = <Kind extends HTMLElement>(selector: string): Kind => {
    const found = form.querySelector<Kind>(selector);
    if (found === null) throw new Error(`The page for masking has no ${selector}`);
    return found;
  };
  const place = part<HTMLElement>("[data-film-viewer]");
  const said = part<HTMLElement>("[data-mask-said]");
  const undo = part<HTMLButtonElement>("[data-mask-undo]");
  const clear = part<HTMLButtonElement>("[data-mask-clear]");
  const preview = part<HTMLButtonElement>("[data-mask-preview]");
  const { filmUrl: url = "", sopInstanceUid = "", fileSha256: sha256 = "" } = place.dataset;
  const size: Size = { width: Number(form.dataset.columns), height: Number(form.dataset.rows) };
  const most = Number(form.dataset.most);
  const masks = new Masks(size);
  const far = Math.max(Math.round(Math.max(size.width, size.height) * FAR), 1);
  let isDrawing = true;

  const film = new StudyFilm(
    place,
    { url, sopInstanceUid, sha256 },
    {
      name: "Box",
      turn: (isOn) => {
        isDrawing = isOn;
        arm();
      },
    },
  );
  const rows = new Rows(part(".mask-boxes"), size, {
    typed: (uid, box) => change(() => masks.put(uid, box, "type")),
    taken: (uid) => change(() => masks.take(uid)),
    removed: (uid) =>
      change(() => {
        masks.remove(uid);
        part<HTMLElement>("[data-mask-add]").focus();
      }),
  });
  const found = new Found(part("[data-found-said]"), part("[data-found-all]"), part("[data-found-list]"), {
    taken: (suggested) => {
      const room = most - masks.all.length;
      change(() => masks.putAll(suggested.slice(0, Math.max(room, 0))));
      if (room < suggested.length) sayFull();
    },
    left: show,
  });
  for (const box of rows.written()) masks.put(crypto.randomUUID(), box);
  masks.forget();

  /** The next drag elsewhere than on a box draws one. */
  function arm(): void {
    film.view.drawRegion(isDrawing ? crypto.randomUUID() : null);
  }
  function show(): void {
    rows.show(masks.all, masks.inHand);
    found.show(masks.all);
    const shared = { original: null, wrong: false, flawed: false, reader: null };
    film.showRegions([
      ...masks.all.map(({ uid, box }, at) => ({
        ...shared,
        uid,
        label: String(at + 1),
        box,
        colour: (at % NUM_COLOURS) + 1,
        dashed: false,
        focused: uid === masks.inHand,
        adjustable: true,
      })),
      ...found.suggestions.map(({ uid, box }) => ({
        ...shared,
        uid,
        label: found.nameOf(uid),
        box,
        colour: SUGGESTED_COLOUR,
        dashed: true,
        focused: false,
        adjustable: false,
      })),
    ]);
    undo.disabled = !masks.canUndo;
    clear.disabled = masks.all.length === 0;
    said.textContent = inWords(masks);
  }
  function change(make: () => void): void {
    make();
    show();
  }
  function add(): void {
    if (masks.all.length < most) return change(() => masks.add(crypto.randomUUID()));
    sayFull();
  }
  function sayFull(): void {
    said.textContent = `At most ${most} boxes are overwritten at once. Overwrite these first.`;
  }
  async function look(): Promise<void> {
    const answer = await getJson<FoundText>(form.dataset.foundUrl ?? "");
    if (answer.kind !== "done") found.failed(answer.sentence);
    else found.answered(answer.body.boxes.map((box) => ({ uid: crypto.randomUUID(), box })));
    show();
  }
  function turnPreview(): void {
    const isOn = place.classList.toggle("masked");
    preview.setAttribute("aria-pressed", String(isOn));
  }

  film.view.onRegionDrawn((uid, box) => {
    if (masks.all.length < most || masks.all.some((each) => each.uid === uid)) {
      const nearPx = SNAP_PX / (film.view.display()?.zoom ?? 1);
      change(() => masks.put(uid, snapped(box, size, nearPx)));
    } else {
      sayFull();
    }
    arm();
  });
  film.view.onRegionNotDrawn(arm);
  film.view.onRegionChosen((uid) => change(() => masks.take(uid)));

  const area = part<HTMLElement>(".film-area");
  area.tabIndex = 0;
  area.setAttribute("role", "application");
  area.setAttribute("aria-label", HOW_BY_KEYS);
  area.addEventListener("pointerdown", () => area.focus({ preventScroll: true }));
  area.addEventListener("keydown", (event) => {
    if (event.metaKey || !pressed(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** True where the key was for the boxes. */
  function pressed(event: KeyboardEvent): boolean {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined && isDrawing) {
      const moved: Moved = event.ctrlKey ? "end" : event.altKey ? "start" : "box";
      const by = event.shiftKey ? far : 1;
      if (masks.inHand === null) add();
      else change(() => masks.move({ x: arrow.x * by, y: arrow.y * by }, moved));
      return true;
    }
    if (event.altKey) return false;
    const key = event.key.toLowerCase();
    if (key === "z" && event.ctrlKey) change(() => masks.undo());
    else if (event.ctrlKey) return false;
    else if (key === "n") add();
    else if (key === "u") change(() => masks.undo());
    else if (key === "p") turnPreview();
    else if (key === "a") found.takeAll();
    else if (key === ".") change(() => masks.takeNext());
    else if (key === "delete" || key === "backspace") change(() => masks.remove());
    else return false;
    return true;
  }

  part("[data-mask-add]").addEventListener("click", add);
  undo.addEventListener("click", () => change(() => masks.undo()));
  clear.addEventListener("click", () => change(() => masks.clear()));
  preview.addEventListener("click", turnPreview);
  form.addEventListener("submit", (event) => {
    if (!found.isDealtWith()) event.preventDefault();
  });
  for (const hidden of form.querySelectorAll<HTMLElement>("[data-needs-script]")) hidden.hidden = false;
  show();
  arm();
  void look();
}

function inWords(masks: Masks): string {
  const number = masks.all.length;
  if (number === 0) return "No box yet.";
  const percent = 100 * masks.share();
  const share = percent > 0 && percent < 1 ? "less than 1" : percent.toFixed(0);
  return `${number === 1 ? "1 box" : `${number} boxes`}, ${share} % of the film.`;
}

const form = document.querySelector<HTMLFormElement>("form[data-mask-film]");
if (form) masksText(form);

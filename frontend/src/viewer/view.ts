/** A film with its regions in one element: shows, measures the pointer, and tells what the reader did. */
import { type Display, type DragTool, type Film, type FilmView, type RegionMark, WrongImage } from "./film";
import { type Box, boxToScreen, type Point, partOnFilm, shiftToShow, toFilm } from "./geometry";
import { Lens, lensPlace, lensScale } from "./lens";
import { LinesOnFilm } from "./lines-on-film";
import { RegionOverlay } from "./overlay";
import { listenToPointer } from "./pointer";
import { type Line, lineLabels, withLine } from "./ruler";
import { FilmStack } from "./stack";
import { layOnWholePixels } from "./whole-pixels";

/** Screen pixels between a region that is brought into view and the edge. */
const MARGIN_PX = 40;

let numViews = 0;

/** Fills `parent`; everything the reader does in it arrives at the listeners. */
export function createFilmView(parent: HTMLElement): FilmView {
  // Before the first picture, which is as large as its place then.
  layOnWholePixels(parent);
  const canvas = document.createElement("div");
  canvas.className = "film-canvas blank";
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  parent.append(canvas);
  numViews += 1;
  const stack = new FilmStack(canvas, `film-${numViews}`);
  const overlay = new RegionOverlay(parent);
  const lens = new Lens(parent);

  let marks: readonly RegionMark[] = [];
  let tool: DragTool = "window";
  let drawing: string | null = null;
  let preview: { uid: string; box: Box } | null = null;
  const lines = new LinesOnFilm();
  let isMagnifying = false;
  let pointed: Point | null = null;
  let isShown = false;
  let isBehind = false;
  const drawnListeners: ((uid: string, box: Box) => void)[] = [];
  const notDrawnListeners: (() => void)[] = [];
  const chosenListeners: ((uid: string) => void)[] = [];
  const hoveredListeners: ((uid: string | null) => void)[] = [];
  const displayListeners: ((display: Display) => void)[] = [];
  const lostListeners: ((problem: WrongImage) => void)[] = [];
  const measuredListeners: (() => void)[] = [];
  const lineBegunListeners: (() => void)[] = [];

  function hide(): void {
    isShown = false;
    stack.blank();
    overlay.clear();
    lens.hide();
    isMagnifying = false;
    lines.clear();
  }

  let isDue = false;

  /** Once for all that an event changes, still before the next frame. What is drawn is measured on the page, so the
   * page's own changes, which come a microtask later, go first: else it would be laid out twice. */
  function redraw(): void {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        isDue = false;
        drawOver();
      }),
    );
  }

  function drawOver(): void {
    if (!isShown) {
      overlay.clear();
      return;
    }
    if (stack.sopInstanceUid() === null) {
      hide();
      const problem = new WrongImage("The film on screen is no longer the one that this page is about.");
      for (const listener of lostListeners) listener(problem);
      return;
    }
    if (isBehind) return overlay.clear();
    const shown = marks.map((mark) => (preview?.uid === mark.uid ? { ...mark, box: preview.box } : mark));
    overlay.draw(shown, linesNow(), stack.camera.affine());
    parent.classList.toggle("drawing", drawing !== null || tool === "measure");
    magnify();
  }

  const linesNow = () => lines.onScreen(stack.rulerSpacing(), tool === "measure");

  function measured(next: readonly Line[], inHand?: number): void {
    lines.set(next, inHand);
    redraw();
    for (const listener of measuredListeners) listener();
  }

  function magnify(): void {
    if (!isShown || !isMagnifying || isBehind) return lens.hide();
    const at = pointed ?? center();
    const affine = stack.camera.affine();
    const cut = stack.painting.cut.bind(stack.painting);
    const seen = linesNow().map(({ line }) => line);
    lens.show(toFilm(at, affine), lensPlace(at, stack.screenSize()), lensScale(affine), cut, seen);
  }

  function display(): Display | null {
    if (!isShown) return null;
    const { xAxis } = stack.camera.affine();
    return {
      ...stack.painting.seen(),
      zoom: Math.hypot(xAxis.x, xAxis.y),
      preset: stack.painting.presetNow(),
      label: stack.painting.label(),
    };
  }

  function tellDisplay(): void {
    const now = display();
    if (now) for (const listener of displayListeners) listener(now);
  }

  const stopPointer = listenToPointer(parent, {
    stack,
    isShown: () => isShown,
    tool: () => tool,
    drawing: () => drawing,
    line: (at) => lines.lines[at] ?? null,
    lineStart: () => lines.begunAt,
    beginLine: (at) => {
      lines.beginAt(at);
      redraw();
      for (const listener of lineBegunListeners) listener();
    },
    previewLine: (line, at) => {
      lines.show(line, at);
      redraw();
    },
    measured: (line, at) => measured(withLine(lines.lines, line, at), at ?? undefined),
    removeLine: (at) => measured(lines.lines.filter((_, place) => place !== at)),
    isMagnifying: () => isMagnifying,
    pointedAt: (at) => {
      pointed = at;
      const from = lines.begunAt;
      if (from !== null && at !== null) {
        lines.show({ from, to: toFilm(at, stack.camera.affine()) }, null);
        return redraw();
      }
      magnify();
    },
    placed: () => {
      const affine = stack.camera.affine();
      const own = marks.filter(({ reader }) => reader === null);
      return own.map(({ uid, box }) => ({ uid, box: boxToScreen(box, affine) }));
    },
    focused: () => marks.find((mark) => mark.focused)?.uid ?? null,
    boxOf: (uid) => marks.find((mark) => mark.uid === uid)?.box ?? null,
    preview: (uid, box) => {
      preview = { uid, box };
      redraw();
    },
    drawn: (uid, box) => {
      preview = null;
      drawing = null;
      for (const listener of drawnListeners) listener(uid, box);
      redraw();
    },
    notDrawn: () => {
      for (const listener of notDrawnListeners) listener();
    },
    cancelled: () => {
      preview = null;
      lines.dropPreview();
      redraw();
    },
    chosen: (uid) => {
      for (const listener of chosenListeners) listener(uid);
    },
    hovered: (uid) => {
      for (const listener of hoveredListeners) listener(uid);
    },
    displayChanged: tellDisplay,
  });

  stack.onRendered(redraw);
  const observer = new ResizeObserver(() => {
    layOnWholePixels(parent);
    if (!isShown) return;
    stack.resize();
    redraw();
    tellDisplay();
  });
  observer.observe(parent);

  const center = (): Point => {
    const { width, height } = stack.screenSize();
    return { x: width / 2, y: height / 2 };
  };

  return {
    async showImage(film: Film) {
      hide();
      const values = await stack.show(film);
      isShown = true;
      redraw();
      tellDisplay();
      return values;
    },
    sopInstanceUidOnScreen: () => (isShown ? stack.sopInstanceUid() : null),
    showRegions(next) {
      marks = next;
      redraw();
    },
    drawRegion(uid) {
      drawing = uid;
      redraw();
    },
    arrangeLabels: redraw,
    bringIntoView(box) {
      if (!isShown) return;
      stack.settle();
      // Of what lies off the film there is nothing to see, and the film would leave the screen for it.
      const part = partOnFilm(box, stack.filmSize());
      const shift = shiftToShow(boxToScreen(part, stack.camera.affine()), stack.screenSize(), MARGIN_PX);
      if (shift.x === 0 && shift.y === 0) return;
      stack.camera.panBy(shift);
      tellDisplay();
    },
    setDragTool(next) {
      tool = next;
      lines.giveUp();
      redraw();
    },
    setRulers(next, inHand) {
      lines.set(next, inHand);
      redraw();
    },
    rulers: () => lines.lines,
    rulerInHand: () => lines.inHand,
    suggestRuler(line) {
      lines.suggest(line);
      redraw();
    },
    suggestedRuler: () => lines.suggested,
    showRulers(areShown) {
      if (lines.setShown(areShown)) redraw();
    },
    giveUpLine() {
      if (lines.begunAt === null) return false;
      lines.giveUp();
      redraw();
      return true;
    },
    rulerLabels: () => (isShown ? lineLabels(lines.lines, stack.rulerSpacing()) : []),
    filmSize: () => (isShown ? stack.filmSize() : null),
    setMagnifying(isOn) {
      isMagnifying = isOn;
      magnify();
    },
    moveMagnifier(shift) {
      const at = pointed ?? center();
      const { width, height } = stack.screenSize();
      pointed = {
        x: Math.min(Math.max(at.x + shift.x, 0), width),
        y: Math.min(Math.max(at.y + shift.y, 0), height),
      };
      magnify();
    },
    onMeasured: (listener) => void measuredListeners.push(listener),
    onLineBegun: (listener) => void lineBegunListeners.push(listener),
    seeAgain(seen) {
      if (!isShown) return false;
      const isDone = stack.painting.seeAgain(seen);
      tellDisplay();
      return isDone;
    },
    presets: () => (isShown ? stack.painting.presets.map(({ name }) => name) : []),
    choosePreset(index) {
      const preset = isShown ? stack.painting.presets[index] : undefined;
      if (preset === undefined) return;
      stack.painting.choosePreset(preset);
      tellDisplay();
    },
    setInverted(inverted) {
      if (!isShown) return;
      stack.painting.setInverted(inverted);
      tellDisplay();
    },
    fit() {
      if (!isShown) return;
      stack.camera.fit();
      tellDisplay();
    },
    showActualSize() {
      if (!isShown) return;
      stack.settle();
      stack.camera.showActualSize();
      tellDisplay();
    },
    zoomBy(factor) {
      if (!isShown) return;
      stack.camera.zoomBy(factor, center());
      tellDisplay();
    },
    display,
    place: () => (isShown ? stack.camera.place() : null),
    showPlace(place) {
      if (!isShown) return;
      stack.settle();
      stack.camera.showPlace(place);
      tellDisplay();
    },
    clear: hide,
    setBehind(next) {
      isBehind = next;
      // A name of its own, so that "the film" is always the one in front.
      canvas.classList.toggle("film-canvas", !isBehind);
      canvas.classList.toggle("film-canvas-behind", isBehind);
      redraw();
    },
    drawn: () => stack.drawn(),
    onRegionDrawn: (listener) => void drawnListeners.push(listener),
    onRegionNotDrawn: (listener) => void notDrawnListeners.push(listener),
    onRegionChosen: (listener) => void chosenListeners.push(listener),
    onRegionHovered: (listener) => void hoveredListeners.push(listener),
    onDisplayChanged: (listener) => void displayListeners.push(listener),
    onImageLost: (listener) => void lostListeners.push(listener),
    dispose() {
      stopPointer();
      observer.disconnect();
      stack.dispose();
      parent.replaceChildren();
    },
  };
}

/** What one drag on a film means: it moves the window or the film, draws or changes a region, or measures. */
import type { DragTool } from "./film";
import {
  type Box,
  dragged,
  drawsAnew,
  type Grip,
  isFlat,
  nextOf,
  orderedBox,
  type Placed,
  type Point,
  regionsAt,
  rounded,
  toFilm,
  withinFilm,
} from "./geometry";
import { type Line, onFilm, type RulerEnd } from "./ruler";
import type { FilmStack } from "./stack";
import { windowAfterDrag } from "./window";

/** Less than this is a click, not a drag. Screen pixels. */
const CLICK_PX = 4;
/** How far beside a region's outline a click still means it. Screen pixels. */
const SLACK_PX = 8;

export interface DragHost {
  readonly stack: FilmStack;
  tool(): DragTool;
  /** The region that the next drag draws anew. */
  drawing(): string | null;
  boxOf(uid: string): Box | null;
  /** The regions that are drawn, where they are on the screen. */
  placed(): readonly Placed[];
  focused(): string | null;
  preview(uid: string, box: Box): void;
  drawn(uid: string, box: Box): void;
  /** A click, or a drag along a line: no region, which stays to be drawn. */
  notDrawn(): void;
  cancelled(): void;
  chosen(uid: string): void;
  displayChanged(): void;
  /** By its place among the lines. */
  line(at: number): Line | null;
  /** Where a line was begun by a click and waits for its other end; film pixels. */
  lineStart(): Point | null;
  beginLine(at: Point): void;
  /** While it is dragged. `at` is its place among the lines; null for a further one. */
  previewLine(line: Line, at: number | null): void;
  measured(line: Line, at: number | null): void;
  removeLine(at: number): void;
}

export interface Drag {
  readonly move: (from: Point, to: Point) => void;
  readonly end: (from: Point, to: Point) => void;
}

/** What a finger or button that goes down on `target` begins. */
export function dragFor(event: Pick<PointerEvent, "button" | "target">, host: DragHost): Drag {
  if (event.button === 1) return withoutClick(panDrag(host), host);
  if (event.button === 2) return withoutClick(zoomDrag(host), host);
  const target = event.target instanceof Element ? event.target : null;
  const ofLine = rulerPartDrag(host, target);
  if (ofLine !== null) return ofLine;
  const uid = target && regionOf(target);
  const grip = target?.getAttribute("data-grip") as Grip | null | undefined;
  if (uid && grip) return gripDrag(host, uid, grip);
  const drawing = host.drawing();
  if (drawing !== null) return drawDrag(host, drawing);
  const labelled = target?.closest("[data-label-of]")?.getAttribute("data-label-of");
  if (labelled) return labelClick(host, labelled);
  switch (host.tool()) {
    case "measure":
      return rulerDrag(host);
    case "window":
      return withoutClick(windowDrag(host), host);
    case "pan":
      return withoutClick(panDrag(host), host);
    case "zoom":
      return withoutClick(zoomDrag(host), host);
  }
}

/** Whose outline or grip it is. */
export function regionOf(target: Element): string | undefined {
  const owner = target.closest<SVGElement>("[data-region], [data-grips-of]");
  return owner?.dataset.region ?? owner?.dataset.gripsOf;
}

/** A press without movement chooses the region under it; on the bare film it does nothing. */
function withoutClick(move: Drag["move"], host: DragHost): Drag {
  let hasMoved = false;
  return {
    move: (from, to) => {
      hasMoved ||= distance(from, to) >= CLICK_PX;
      if (hasMoved) move(from, to);
    },
    end: (_from, to) => {
      if (!hasMoved) choose(host, to);
    },
  };
}

/** A label stands beside its region: a click on it means the region. */
function labelClick(host: DragHost, uid: string): Drag {
  return {
    move: () => {},
    end: (from, to) => {
      if (distance(from, to) < CLICK_PX && uid !== host.focused()) host.chosen(uid);
    },
  };
}

function choose(host: DragHost, at: Point): void {
  const uid = nextOf(regionsAt(at, host.placed(), SLACK_PX), host.focused());
  if (uid !== null && uid !== host.focused()) host.chosen(uid);
}

const distance = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);

function windowDrag(host: DragHost): Drag["move"] {
  const start = host.stack.painting.window;
  const { range } = host.stack.painting.values();
  return (from, to) => {
    const moved = { x: to.x - from.x, y: to.y - from.y };
    host.stack.painting.setWindow(
      windowAfterDrag(start, moved, host.stack.screenSize(), range.upper - range.lower),
    );
    host.displayChanged();
  };
}

function panDrag(host: DragHost): Drag["move"] {
  let last: Point | null = null;
  return (from, to) => {
    const before = last ?? from;
    last = to;
    host.stack.camera.panBy({ x: to.x - before.x, y: to.y - before.y });
    host.displayChanged();
  };
}

function zoomDrag(host: DragHost): Drag["move"] {
  let last: Point | null = null;
  return (from, to) => {
    const before = last ?? from;
    last = to;
    host.stack.camera.zoomBy(1.006 ** (before.y - to.y), from);
    host.displayChanged();
  };
}

function boxBetween(host: DragHost, from: Point, to: Point): Box {
  const affine = host.stack.camera.affine();
  return rounded(withinFilm(orderedBox(toFilm(from, affine), toFilm(to, affine)), host.stack.filmSize()));
}

/** A region has a width and a height: less than a click's in either is none, as is what lies beside the film. */
function drawDrag(host: DragHost, uid: string): Drag {
  const isNone = (from: Point, to: Point): boolean => {
    if (Math.abs(to.x - from.x) < CLICK_PX || Math.abs(to.y - from.y) < CLICK_PX) return true;
    const affine = host.stack.camera.affine();
    return isFlat(toFilm(from, affine), toFilm(to, affine), host.stack.filmSize());
  };
  return {
    move: (from, to) => {
      if (isNone(from, to)) host.cancelled();
      else host.preview(uid, boxBetween(host, from, to));
    },
    end: (from, to) => {
      if (!isNone(from, to)) return host.drawn(uid, boxBetween(host, from, to));
      host.cancelled();
      host.notDrawn();
    },
  };
}

const CORNERS: ReadonlySet<Grip> = new Set<Grip>(["nw", "ne", "sw", "se"]);

/** The outline and the grips of the region in hand; a press without movement on them chooses what lies there. */
function gripDrag(host: DragHost, uid: string, grip: Grip): Drag {
  const start = host.boxOf(uid);
  const boxAfter = (from: Point, to: Point): Box | null => {
    if (start === null) return null;
    const affine = host.stack.camera.affine();
    const a = toFilm(from, affine);
    const b = toFilm(to, affine);
    const moved = rounded(dragged(start, grip, { x: b.x - a.x, y: b.y - a.y }, host.stack.filmSize()));
    if (!CORNERS.has(grip)) return moved;
    const drawn = boxBetween(host, from, to);
    return drawsAnew(start, moved, drawn) ? drawn : moved;
  };
  return {
    move: (from, to) => {
      const box = boxAfter(from, to);
      if (box) host.preview(uid, box);
    },
    end: (from, to) => {
      const box = distance(from, to) >= CLICK_PX ? boxAfter(from, to) : null;
      if (box) return host.drawn(uid, box);
      host.cancelled();
      choose(host, to);
    },
  };
}

const filmPoint = (host: DragHost, at: Point): Point =>
  onFilm(toFilm(at, host.stack.camera.affine()), host.stack.filmSize());

/** From one end to the other in a drag, or by a click at each. */
function rulerDrag(host: DragHost): Drag {
  const lineBetween = (from: Point, to: Point): Line => ({
    from: filmPoint(host, from),
    to: filmPoint(host, to),
  });
  return {
    move: (from, to) => {
      if (distance(from, to) >= CLICK_PX) host.previewLine(lineBetween(from, to), null);
    },
    end: (from, to) => {
      if (distance(from, to) >= CLICK_PX) return host.measured(lineBetween(from, to), null);
      const start = host.lineStart();
      if (start === null) host.beginLine(filmPoint(host, to));
      else host.measured({ from: start, to: filmPoint(host, to) }, null);
    },
  };
}

/** Of a line that is there; the end of one that was begun by a click lies under the pointer, and is not yet. */
function rulerPartDrag(host: DragHost, target: Element | null): Drag | null {
  if (host.lineStart() !== null) return null;
  const at = Number(target?.getAttribute("data-line"));
  const end = target?.getAttribute("data-ruler") as RulerEnd | null | undefined;
  if (end) return rulerEndDrag(host, at, end);
  return target?.hasAttribute("data-ruler-off") ? { move: () => {}, end: () => host.removeLine(at) } : null;
}

/** A press without movement on an end takes the line in hand. */
function rulerEndDrag(host: DragHost, at: number, end: RulerEnd): Drag {
  const start = host.line(at);
  const lineAfter = (from: Point, to: Point): Line | null => {
    if (start === null || distance(from, to) < CLICK_PX) return start;
    return { ...start, [end]: filmPoint(host, to) };
  };
  return {
    move: (from, to) => {
      const line = lineAfter(from, to);
      if (line) host.previewLine(line, at);
    },
    end: (from, to) => {
      const line = lineAfter(from, to);
      if (line) host.measured(line, at);
    },
  };
}

/** What a drag, a click and the wheel mean on a film. */
import type { DragTool } from "./film";
import {
  type Box,
  dragged,
  type Grip,
  orderedBox,
  type Point,
  rounded,
  toFilm,
  withinFilm,
} from "./geometry";
import type { FilmStack } from "./stack";
import { windowAfterDrag } from "./window";

/** Less than this is a click, not a drag. Screen pixels. */
const CLICK_PX = 4;
const WHEEL_STEP = 1.12;

export interface PointerHost {
  readonly stack: FilmStack;
  isShown(): boolean;
  tool(): DragTool;
  /** The region that the next drag draws anew. */
  drawing(): string | null;
  boxOf(uid: string): Box | null;
  preview(uid: string, box: Box): void;
  drawn(uid: string, box: Box): void;
  cancelled(): void;
  chosen(uid: string): void;
  hovered(uid: string | null): void;
  displayChanged(): void;
}

interface Drag {
  readonly move: (from: Point, to: Point) => void;
  readonly end: (from: Point, to: Point) => void;
}

/** Returns the function that stops listening. */
export function listenToPointer(area: HTMLElement, host: PointerHost): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  let drag: { pointerId: number; from: Point; kind: Drag } | null = null;

  const at = (event: MouseEvent): Point => {
    const frame = area.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };

  area.addEventListener(
    "pointerdown",
    (event) => {
      if (!host.isShown() || drag !== null || !isOnFilm(event.target)) return;
      event.preventDefault();
      area.setPointerCapture(event.pointerId);
      drag = { pointerId: event.pointerId, from: at(event), kind: dragFor(event, host) };
    },
    { signal },
  );
  area.addEventListener(
    "pointermove",
    (event) => {
      if (drag?.pointerId === event.pointerId) drag.kind.move(drag.from, at(event));
      else if (drag === null) host.hovered(regionUnder(event.target));
    },
    { signal },
  );
  area.addEventListener(
    "pointerup",
    (event) => {
      if (drag?.pointerId !== event.pointerId) return;
      const { from, kind } = drag;
      drag = null;
      kind.end(from, at(event));
    },
    { signal },
  );
  area.addEventListener(
    "pointercancel",
    () => {
      drag = null;
      host.cancelled();
    },
    { signal },
  );
  area.addEventListener("pointerleave", () => host.hovered(null), { signal });
  area.addEventListener(
    "wheel",
    (event) => {
      if (!host.isShown() || !isOnFilm(event.target)) return;
      event.preventDefault();
      host.stack.zoomBy(event.deltaY < 0 ? WHEEL_STEP : 1 / WHEEL_STEP, at(event));
      host.displayChanged();
    },
    { signal, passive: false },
  );
  return () => stopped.abort();
}

function isOnFilm(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, select, input, a, [role=alert]") === null;
}

function regionUnder(target: EventTarget | null): string | null {
  if (!(target instanceof Element)) return null;
  return target.closest("[data-region]")?.getAttribute("data-region") ?? null;
}

function dragFor(event: PointerEvent, host: PointerHost): Drag {
  const uid = regionUnder(event.target);
  const drawing = host.drawing();
  if (event.button === 1) return withoutClick(panDrag(host), null, host);
  if (event.button === 2) return withoutClick(zoomDrag(host), null, host);
  const grip = event.target instanceof Element ? event.target.getAttribute("data-grip") : null;
  if (uid !== null && grip !== null) return gripDrag(host, uid, grip as Grip);
  if (drawing !== null) return drawDrag(host, drawing);
  const tools: Record<DragTool, (host: PointerHost) => Drag["move"]> = {
    window: windowDrag,
    pan: panDrag,
    zoom: zoomDrag,
  };
  return withoutClick(tools[host.tool()](host), uid, host);
}

/** A press without movement on a region chooses it; on the film it does nothing. */
function withoutClick(move: Drag["move"], uid: string | null, host: PointerHost): Drag {
  let hasMoved = false;
  return {
    move: (from, to) => {
      hasMoved ||= distance(from, to) >= CLICK_PX;
      if (hasMoved) move(from, to);
    },
    end: () => {
      if (!hasMoved && uid !== null) host.chosen(uid);
    },
  };
}

const distance = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);

function windowDrag(host: PointerHost): Drag["move"] {
  const start = host.stack.window();
  const { range } = host.stack.values();
  return (from, to) => {
    const moved = { x: to.x - from.x, y: to.y - from.y };
    host.stack.setWindow(windowAfterDrag(start, moved, host.stack.screenSize(), range.upper - range.lower));
    host.displayChanged();
  };
}

function panDrag(host: PointerHost): Drag["move"] {
  let last: Point | null = null;
  return (from, to) => {
    const before = last ?? from;
    last = to;
    host.stack.panBy({ x: to.x - before.x, y: to.y - before.y });
    host.displayChanged();
  };
}

function zoomDrag(host: PointerHost): Drag["move"] {
  let last: Point | null = null;
  return (from, to) => {
    const before = last ?? from;
    last = to;
    host.stack.zoomBy(1.006 ** (before.y - to.y), from);
    host.displayChanged();
  };
}

function drawDrag(host: PointerHost, uid: string): Drag {
  const boxBetween = (from: Point, to: Point): Box => {
    const affine = host.stack.affine();
    return rounded(withinFilm(orderedBox(toFilm(from, affine), toFilm(to, affine)), host.stack.filmSize()));
  };
  return {
    move: (from, to) => host.preview(uid, boxBetween(from, to)),
    end: (from, to) => {
      if (distance(from, to) >= CLICK_PX) host.drawn(uid, boxBetween(from, to));
      else host.cancelled();
    },
  };
}

function gripDrag(host: PointerHost, uid: string, grip: Grip): Drag {
  const start = host.boxOf(uid);
  const boxAfter = (from: Point, to: Point): Box | null => {
    if (start === null) return null;
    const affine = host.stack.affine();
    const a = toFilm(from, affine);
    const b = toFilm(to, affine);
    return rounded(dragged(start, grip, { x: b.x - a.x, y: b.y - a.y }, host.stack.filmSize()));
  };
  return {
    move: (from, to) => {
      const box = boxAfter(from, to);
      if (box) host.preview(uid, box);
    },
    end: (from, to) => {
      const box = distance(from, to) >= CLICK_PX ? boxAfter(from, to) : null;
      if (box) host.drawn(uid, box);
      else host.cancelled();
    },
  };
}

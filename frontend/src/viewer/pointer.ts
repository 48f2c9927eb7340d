/** What the mouse, a finger, two fingers and the wheel do on a film. */
import { type Drag, type DragHost, dragFor, regionOf } from "./drags";
import type { Point } from "./geometry";
import { pinchBetween } from "./pinch";

const WHEEL_STEP = 1.12;

export interface PointerHost extends DragHost {
  isShown(): boolean;
  hovered(uid: string | null): void;
  /** Where the pointer is; null where it left the film. */
  pointedAt(at: Point | null): void;
  /** A finger then carries the magnifier and does nothing else. */
  isMagnifying(): boolean;
}

/** Returns the function that stops listening. */
export function listenToPointer(area: HTMLElement, host: PointerHost): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  let drag: { pointerId: number; from: Point; kind: Drag } | null = null;
  const fingers = new Map<number, Point>();
  /** After two fingers the one that stays must not go on as a drag. */
  let isPinching = false;

  const at = (event: MouseEvent): Point => {
    const frame = area.getBoundingClientRect();
    return { x: event.clientX - painted(frame.left), y: event.clientY - painted(frame.top) };
  };

  const stopDrag = (): void => {
    if (drag !== null) host.cancelled();
    drag = null;
  };

  const pinch = (event: PointerEvent): void => {
    const before = [...fingers.values()];
    fingers.set(event.pointerId, at(event));
    const now = [...fingers.values()];
    const [a, b] = before;
    const [c, d] = now;
    if (!a || !b || !c || !d) return;
    const { factor, about, shift } = pinchBetween([a, b], [c, d]);
    host.stack.camera.panBy(shift);
    host.stack.camera.zoomBy(factor, about);
    host.displayChanged();
  };

  area.addEventListener(
    "pointerdown",
    (event) => {
      if (!host.isShown() || !isOnFilm(event.target)) return;
      event.preventDefault();
      area.setPointerCapture(event.pointerId);
      if (event.pointerType === "touch") {
        fingers.set(event.pointerId, at(event));
        if (fingers.size === 2) {
          stopDrag();
          isPinching = true;
        }
      }
      host.pointedAt(at(event));
      if (drag !== null || isPinching) return;
      const isCarrying = event.pointerType === "touch" && host.isMagnifying();
      const kind = isCarrying ? CARRYING : dragFor(event, host);
      drag = { pointerId: event.pointerId, from: at(event), kind };
    },
    { signal },
  );
  area.addEventListener(
    "pointermove",
    (event) => {
      if (isPinching) return fingers.has(event.pointerId) ? pinch(event) : undefined;
      host.pointedAt(at(event));
      if (drag?.pointerId === event.pointerId) drag.kind.move(drag.from, at(event));
      else if (drag === null) host.hovered(regionUnder(event.target));
    },
    { signal },
  );
  const lift = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (fingers.size === 0) isPinching = false;
  };
  area.addEventListener(
    "pointerup",
    (event) => {
      lift(event);
      if (drag?.pointerId !== event.pointerId) return;
      const { from, kind } = drag;
      drag = null;
      kind.end(from, at(event));
    },
    { signal },
  );
  area.addEventListener(
    "pointercancel",
    (event) => {
      lift(event);
      stopDrag();
    },
    { signal },
  );
  area.addEventListener(
    "pointerleave",
    (event) => {
      host.hovered(null);
      // A finger that is lifted leaves; the magnifier stays where it put it.
      if (event.pointerType !== "touch") host.pointedAt(null);
    },
    { signal },
  );
  area.addEventListener(
    "wheel",
    (event) => {
      if (!host.isShown() || !isOnFilm(event.target)) return;
      event.preventDefault();
      host.stack.camera.zoomBy(event.deltaY < 0 ? WHEEL_STEP : 1 / WHEEL_STEP, at(event));
      host.displayChanged();
    },
    { signal, passive: false },
  );
  return () => stopped.abort();
}

/** A picture is painted from a whole pixel of the screen on, wherever its box begins. */
function painted(edge: number): number {
  return Math.round(edge * devicePixelRatio) / devicePixelRatio;
}

const CARRYING: Drag = { move: () => {}, end: () => {} };

function isOnFilm(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, select, input, a, [role=alert]") === null;
}

function regionUnder(target: EventTarget | null): string | null {
  if (!(target instanceof Element)) return null;
  return regionOf(target) ?? target.closest<SVGElement>("[data-label-of]")?.dataset.labelOf ?? null;
}

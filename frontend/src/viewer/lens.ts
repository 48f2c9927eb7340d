/** A magnifier: a part of the film, closer, beside the point it shows, drawn from the film's own pixels. */
import type { Affine, Point, Size } from "./geometry";
import type { Line } from "./ruler";

/** What lies in a rectangle of the film, one grey for each pixel, as it looks with the reader's window. */
export interface Patch {
  readonly greys: Uint8ClampedArray;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The side of the lens, screen pixels. */
export const LENS_PX = 240;
/** At least this much closer than the film itself, and never below one screen pixel for a film pixel. */
const CLOSER = 2.5;
/** Between the point and the lens, so that a finger hides neither. */
const GAP_PX = 28;

/** Screen pixels for a film pixel within the lens, in each direction. */
export function lensScale({ xAxis, yAxis }: Affine): Point {
  const x = Math.hypot(xAxis.x, xAxis.y);
  const y = Math.hypot(yAxis.x, yAxis.y);
  const closer = Math.max(CLOSER, 1 / Math.min(x, y));
  return { x: x * closer, y: y * closer };
}

/** Where the lens stands: above the point, or below it where there is no room; never outside the screen. */
export function lensPlace(at: Point, screen: Size): Point {
  const above = at.y - GAP_PX - LENS_PX;
  const y = above >= 0 ? above : at.y + GAP_PX;
  return {
    x: Math.min(Math.max(at.x - LENS_PX / 2, 0), Math.max(screen.width - LENS_PX, 0)),
    y: Math.min(y, Math.max(screen.height - LENS_PX, 0)),
  };
}

export class Lens {
  private readonly canvas = document.createElement("canvas");
  private readonly patch = document.createElement("canvas");

  constructor(parent: HTMLElement) {
    this.canvas.className = "lens";
    this.canvas.hidden = true;
    this.canvas.setAttribute("aria-hidden", "true");
    parent.append(this.canvas);
  }

  hide(): void {
    this.canvas.hidden = true;
  }

  /** `center` and `lines` in film pixels, `place` the lens's corner on the screen; `cut` gives the film's pixels. */
  show(
    center: Point,
    place: Point,
    scale: Point,
    cut: (left: number, top: number, size: Size) => Patch,
    lines: readonly Line[],
  ): void {
    const side = Math.round(LENS_PX * devicePixelRatio);
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const size = { width: Math.ceil(LENS_PX / scale.x) + 2, height: Math.ceil(LENS_PX / scale.y) + 2 };
    const left = Math.floor(center.x - LENS_PX / scale.x / 2);
    const top = Math.floor(center.y - LENS_PX / scale.y / 2);
    this.keep(cut(left, top, size));
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, LENS_PX, LENS_PX);
    const x = LENS_PX / 2 - (center.x - left) * scale.x;
    const y = LENS_PX / 2 - (center.y - top) * scale.y;
    context.drawImage(this.patch, x, y, size.width * scale.x, size.height * scale.y);
    for (const line of lines) stroke(context, inLens(line, center, scale));
    cross(context);
    // Through the style's own object, which the content security policy allows.
    this.canvas.style.left = `${place.x}px`;
    this.canvas.style.top = `${place.y}px`;
    this.canvas.hidden = false;
  }

  private keep({ greys, width, height }: Patch): void {
    this.patch.width = width;
    this.patch.height = height;
    const image = new ImageData(width, height);
    for (let i = 0; i < greys.length; i++) {
      const grey = greys[i] ?? 0;
      image.data.set([grey, grey, grey, 255], i * 4);
    }
    this.patch.getContext("2d")?.putImageData(image, 0, 0);
  }
}

/** A line that is measured on the film, as it lies within the lens: from its upper left corner, screen pixels. */
export function inLens({ from, to }: Line, center: Point, scale: Point): Line {
  const place = ({ x, y }: Point): Point => ({
    x: LENS_PX / 2 + (x - center.x) * scale.x,
    y: LENS_PX / 2 + (y - center.y) * scale.y,
  });
  return { from: place(from), to: place(to) };
}

/** As on the film itself: dark around it, so that it is seen on white. */
function stroke(context: CanvasRenderingContext2D, { from, to }: Line): void {
  for (const [colour, width] of [
    ["#0009", 4],
    ["#6cb6ff", 1.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
}

/** The point itself: a small open cross. */
function cross(context: CanvasRenderingContext2D): void {
  const middle = LENS_PX / 2;
  context.strokeStyle = "#6cb6ff";
  context.lineWidth = 1;
  context.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    context.moveTo(middle + dx * 4, middle + dy * 4);
    context.lineTo(middle + dx * 12, middle + dy * 12);
  }
  context.stroke();
}

/** The film's pixels in a rectangle that may reach beyond the film, where it is black. */
export function cutPatch(
  greyOf: (index: number) => number,
  film: Size,
  left: number,
  top: number,
  { width, height }: Size,
): Patch {
  const greys = new Uint8ClampedArray(width * height);
  for (let y = 0; y < height; y++) {
    const row = top + y;
    if (row < 0 || row >= film.height) continue;
    for (let x = Math.max(0, -left); x < width && left + x < film.width; x++) {
      greys[y * width + x] = greyOf(row * film.width + left + x);
    }
  }
  return { greys, left, top, width, height };
}

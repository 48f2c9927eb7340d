/**
 * Where a region lies on the screen, and what a drag makes of it: pure functions without a viewer.
 *
 * Regions are edges in film pixels: x to the image's right, y down, the first pixel reaches from 0 to 1.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly x_min: number;
  readonly y_min: number;
  readonly x_max: number;
  readonly y_max: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Film pixels to screen pixels: screen = origin + x * xAxis + y * yAxis. */
export interface Affine {
  readonly origin: Point;
  readonly xAxis: Point;
  readonly yAxis: Point;
}

export type Grip = "move" | "n" | "s" | "e" | "w" | "nw" | "ne" | "sw" | "se";

/** The smallest side of a redrawn region, film pixels: less could not be gripped again. */
export const MIN_SIDE_PX = 4;

/** The affine through the screen positions of the film's corners (0, 0), (width, 0) and (0, height). */
export function affineThrough(topLeft: Point, topRight: Point, bottomLeft: Point, film: Size): Affine {
  return {
    origin: topLeft,
    xAxis: { x: (topRight.x - topLeft.x) / film.width, y: (topRight.y - topLeft.y) / film.width },
    yAxis: { x: (bottomLeft.x - topLeft.x) / film.height, y: (bottomLeft.y - topLeft.y) / film.height },
  };
}

export function toScreen(point: Point, affine: Affine): Point {
  return {
    x: affine.origin.x + point.x * affine.xAxis.x + point.y * affine.yAxis.x,
    y: affine.origin.y + point.x * affine.xAxis.y + point.y * affine.yAxis.y,
  };
}

export function toFilm(point: Point, affine: Affine): Point {
  const { origin, xAxis, yAxis } = affine;
  const determinant = xAxis.x * yAxis.y - yAxis.x * xAxis.y;
  const dx = point.x - origin.x;
  const dy = point.y - origin.y;
  return { x: (dx * yAxis.y - dy * yAxis.x) / determinant, y: (dy * xAxis.x - dx * xAxis.y) / determinant };
}

/** The box on the screen, its corners in order whichever way the film lies. */
export function boxToScreen(box: Box, affine: Affine): Box {
  const a = toScreen({ x: box.x_min, y: box.y_min }, affine);
  const b = toScreen({ x: box.x_max, y: box.y_max }, affine);
  return orderedBox(a, b);
}

export function orderedBox(a: Point, b: Point): Box {
  return {
    x_min: Math.min(a.x, b.x),
    y_min: Math.min(a.y, b.y),
    x_max: Math.max(a.x, b.x),
    y_max: Math.max(a.y, b.y),
  };
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The box within the film, with sides of at least MIN_SIDE_PX where the film has them. */
export function withinFilm(box: Box, film: Size): Box {
  const minWidth = Math.min(MIN_SIDE_PX, film.width);
  const minHeight = Math.min(MIN_SIDE_PX, film.height);
  const x_min = clamp(box.x_min, 0, film.width - minWidth);
  const y_min = clamp(box.y_min, 0, film.height - minHeight);
  return {
    x_min,
    y_min,
    x_max: clamp(box.x_max, x_min + minWidth, film.width),
    y_max: clamp(box.y_max, y_min + minHeight, film.height),
  };
}

/** Whether a drag from one point to the other spans nothing of the film: it has no width or no height there. */
export function isFlat(from: Point, to: Point, film: Size): boolean {
  const along = (a: number, b: number, length: number): number => clamp(b, 0, length) - clamp(a, 0, length);
  return along(from.x, to.x, film.width) === 0 || along(from.y, to.y, film.height) === 0;
}

/** The box after one of its grips was dragged by (dx, dy) film pixels; moving keeps its size. */
export function dragged(box: Box, grip: Grip, delta: Point, film: Size): Box {
  if (grip === "move") {
    const dx = clamp(delta.x, -box.x_min, film.width - box.x_max);
    const dy = clamp(delta.y, -box.y_min, film.height - box.y_max);
    return { x_min: box.x_min + dx, y_min: box.y_min + dy, x_max: box.x_max + dx, y_max: box.y_max + dy };
  }
  const moved = {
    x_min: grip.includes("w") ? Math.min(box.x_min + delta.x, box.x_max - MIN_SIDE_PX) : box.x_min,
    y_min: grip.includes("n") ? Math.min(box.y_min + delta.y, box.y_max - MIN_SIDE_PX) : box.y_min,
    x_max: grip.includes("e") ? Math.max(box.x_max + delta.x, box.x_min + MIN_SIDE_PX) : box.x_max,
    y_max: grip.includes("s") ? Math.max(box.y_max + delta.y, box.y_min + MIN_SIDE_PX) : box.y_max,
  };
  return withinFilm(moved, film);
}

/** So much of a box is left where its corner was dragged across it. */
const COLLAPSED = 1 / 8;

/** Whether a drag that begins on a corner draws a new box, `drawn` from press to release: whoever begins near the old
 * corner means that, where moving the corner would leave a sliver of the box. */
export function drawsAnew(start: Box, moved: Box, drawn: Box): boolean {
  const sides = (box: Box): readonly [number, number] => [box.x_max - box.x_min, box.y_max - box.y_min];
  const [width, height] = sides(start);
  const [left, leftHeight] = sides(moved);
  const [across, down] = sides(drawn);
  const isSliver = left <= width * COLLAPSED || leftHeight <= height * COLLAPSED;
  return isSliver && across >= width / 2 && down >= height / 2;
}

/** Which corner a key moves: left and top, or right and bottom. */
export type Corner = "start" | "end";

/** The box with one corner moved, the other kept. */
export function resized(box: Box, corner: Corner, delta: Point, film: Size): Box {
  const grip = (x: string, y: string): Grip => ((delta.y === 0 ? "" : y) + (delta.x === 0 ? "" : x)) as Grip;
  if (delta.x === 0 && delta.y === 0) return box;
  return dragged(box, corner === "start" ? grip("w", "n") : grip("e", "s"), delta, film);
}

/** Why a region cannot be saved, and the way out; null where it can. */
export function boxProblem(box: Box, film: Size): string | null {
  const { x_min, y_min, x_max, y_max } = box;
  if (![x_min, y_min, x_max, y_max].every(Number.isFinite)) return "Each of the four needs a number.";
  if (x_max <= x_min) return "The width must be more than 0.";
  if (y_max <= y_min) return "The height must be more than 0.";
  if (x_min >= 0 && y_min >= 0 && x_max <= film.width && y_max <= film.height) return null;
  return `The region would reach outside the film, which is ${film.width} × ${film.height} pixels.`;
}

/** The share of the film's longer side that a region without an area is drawn with, so that it can be seen. */
const LEAST_SHARE = 1 / 40;

/** Where a region that cannot be drawn as it is shows itself: on the film, at the place nearest to its own. */
export function nearestVisible(box: Box, film: Size): Box {
  const least = Math.max(film.width, film.height) * LEAST_SHARE;
  const along = (a: number, b: number, length: number): [number, number] => {
    const low = clamp(Math.min(a, b), 0, length);
    const high = clamp(Math.max(a, b), 0, length);
    if (high - low >= least) return [low, high];
    const start = clamp((low + high - least) / 2, 0, Math.max(length - least, 0));
    return [start, Math.min(start + least, length)];
  };
  const [x_min, x_max] = along(box.x_min, box.x_max, film.width);
  const [y_min, y_max] = along(box.y_min, box.y_max, film.height);
  return { x_min, y_min, x_max, y_max };
}

/** What both cover, as a share of what either covers (intersection over union), 0 to 1; of no area 0. */
export function overlap(one: Box, other: Box): number {
  const area = (box: Box): number => Math.max(box.x_max - box.x_min, 0) * Math.max(box.y_max - box.y_min, 0);
  const both = area({
    x_min: Math.max(one.x_min, other.x_min),
    y_min: Math.max(one.y_min, other.y_min),
    x_max: Math.min(one.x_max, other.x_max),
    y_max: Math.min(one.y_max, other.y_max),
  });
  return both === 0 ? 0 : both / (area(one) + area(other) - both);
}

/** What of a region there is to see: a model may say 3,500 where the film ends at 512. */
export function partOnFilm(box: Box, film: Size): Box {
  return boxProblem(box, film) === null ? box : nearestVisible(box, film);
}

/** Where a region shows itself: as it is, or, where it can't, on the film all the same. */
export function placeOnFilm(box: Box, film: Size): Box {
  return isDrawable(box, film) ? box : nearestVisible(box, film);
}

/** A box as it lies on the screen, with the name of what it belongs to. */
export interface Placed {
  readonly uid: string;
  readonly box: Box;
}

/** What lies under a point, the smallest first: the inner one of two would else never be reached. */
export function regionsAt(point: Point, regions: readonly Placed[], slackPx: number): string[] {
  const area = ({ box }: Placed): number => (box.x_max - box.x_min) * (box.y_max - box.y_min);
  return regions
    .filter(
      ({ box }) =>
        point.x >= box.x_min - slackPx &&
        point.x <= box.x_max + slackPx &&
        point.y >= box.y_min - slackPx &&
        point.y <= box.y_max + slackPx,
    )
    .sort((a, b) => area(a) - area(b))
    .map(({ uid }) => uid);
}

/** The one to choose by a click on several: after the one that has the focus, round and round. */
export function nextOf(uids: readonly string[], focused: string | null): string | null {
  const at = focused === null ? -1 : uids.indexOf(focused);
  return uids[(at + 1) % uids.length] ?? null;
}

/** A tenth of a pixel is more than a drag can mean. */
export function rounded(box: Box): Box {
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  return {
    x_min: tenth(box.x_min),
    y_min: tenth(box.y_min),
    x_max: tenth(box.x_max),
    y_max: tenth(box.y_max),
  };
}

/** A region to start from where the model's own cannot be shown: the middle third of the film. */
export function startingBox(film: Size): Box {
  return rounded({
    x_min: film.width / 3,
    y_min: film.height / 3,
    x_max: (film.width * 2) / 3,
    y_max: (film.height * 2) / 3,
  });
}

export function isDrawable(box: Box, film: Size): boolean {
  return (
    [box.x_min, box.y_min, box.x_max, box.y_max].every(Number.isFinite) &&
    box.x_max > box.x_min &&
    box.y_max > box.y_min &&
    box.x_max > 0 &&
    box.y_max > 0 &&
    box.x_min < film.width &&
    box.y_min < film.height
  );
}

/** How far the film must move, in screen pixels, to show the whole box with a margin; its centre if too large. */
export function shiftToShow(box: Box, screen: Size, margin: number): Point {
  const along = (low: number, high: number, length: number): number => {
    if (high - low > length - 2 * margin) return length / 2 - (low + high) / 2;
    if (low < margin) return margin - low;
    if (high > length - margin) return length - margin - high;
    return 0;
  };
  return { x: along(box.x_min, box.x_max, screen.width), y: along(box.y_min, box.y_max, screen.height) };
}

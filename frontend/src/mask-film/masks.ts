/** The boxes that are drawn over text: added, moved, taken away, and all of that undone. */
import { type Box, dragged, type Point, resized, type Size } from "../viewer/geometry";

export interface Mask {
  readonly uid: string;
  readonly box: Box;
}

interface Drawn {
  readonly masks: readonly Mask[];
  /** The one that keys move. */
  readonly inHand: string | null;
}

/** Which edges a key moves: all of them, the right and lower ones, or the left and upper ones. */
export type Moved = "box" | "end" | "start";

/** A new box by keys is as wide as a line of text may be. */
const NEW_WIDTH = 1 / 4;
const NEW_HEIGHT = 1 / 24;

export class Masks {
  private now: Drawn = { masks: [], inHand: null };
  private readonly before: Drawn[] = [];
  /** One box that is moved by one key after the other, or typed digit by digit, is one step to be undone. */
  private lastStep = "";

  constructor(private readonly film: Size) {}

  get all(): readonly Mask[] {
    return this.now.masks;
  }

  get inHand(): string | null {
    return this.now.inHand;
  }

  get canUndo(): boolean {
    return this.before.length > 0;
  }

  /** Puts the box there, whether it is new or not. */
  put(uid: string, box: Box, step = ""): void {
    const mask = { uid, box: wholePixels(box, this.film) };
    const { masks } = this.now;
    const isKnown = masks.some((each) => each.uid === uid);
    const next = isKnown ? masks.map((each) => (each.uid === uid ? mask : each)) : [...masks, mask];
    this.set({ masks: next, inHand: uid }, step && `${step} ${uid}`);
  }

  /** All of them, as one step to be undone. */
  putAll(found: readonly Mask[]): void {
    const last = found.at(-1);
    if (last === undefined) return;
    const placed = found.map(({ uid, box }) => ({ uid, box: wholePixels(box, this.film) }));
    this.set({ masks: [...this.now.masks, ...placed], inHand: last.uid });
  }

  /** In the middle of the film, below those that lie there already. */
  add(uid: string): void {
    const { width, height } = this.film;
    const tall = Math.max(height * NEW_HEIGHT, 4);
    const top = Math.min((height - tall) / 2 + this.all.length * tall * 1.25, height - tall);
    const left = (width * (1 - NEW_WIDTH)) / 2;
    this.put(uid, { x_min: left, y_min: top, x_max: left + width * NEW_WIDTH, y_max: top + tall });
  }

  move(delta: Point, moved: Moved): void {
    const mask = this.all.find(({ uid }) => uid === this.inHand);
    if (mask === undefined) return;
    const { box, uid } = mask;
    const next =
      moved === "box" ? dragged(box, "move", delta, this.film) : resized(box, moved, delta, this.film);
    this.put(uid, next, "move");
  }

  remove(uid: string | null = this.inHand): void {
    const at = this.all.findIndex((each) => each.uid === uid);
    if (at < 0) return;
    const masks = this.all.filter((each) => each.uid !== uid);
    this.set({ masks, inHand: (masks[at] ?? masks.at(-1))?.uid ?? null });
  }

  clear(): void {
    if (this.all.length > 0) this.set({ masks: [], inHand: null });
  }

  take(uid: string | null): void {
    this.now = { ...this.now, inHand: uid };
    this.lastStep = "";
  }

  takeNext(): void {
    const at = this.all.findIndex(({ uid }) => uid === this.inHand);
    this.take(this.all[(at + 1) % this.all.length]?.uid ?? null);
  }

  undo(): void {
    this.now = this.before.pop() ?? this.now;
    this.lastStep = "";
  }

  /** What is there now is where undoing ends. */
  forget(): void {
    this.before.length = 0;
    this.lastStep = "";
  }

  /** What they cover together, as a share of the film. */
  share(): number {
    const edges = [...new Set(this.all.flatMap(({ box }) => [box.x_min, box.x_max]))].sort((a, b) => a - b);
    let covered = 0;
    for (const [at, left] of edges.entries()) {
      const right = edges[at + 1];
      if (right === undefined) break;
      const over = this.all.filter(({ box }) => box.x_min <= left && box.x_max >= right);
      let below = 0;
      for (const { box } of over.sort((a, b) => a.box.y_min - b.box.y_min)) {
        covered += (right - left) * Math.max(box.y_max - Math.max(box.y_min, below), 0);
        below = Math.max(below, box.y_max);
      }
    }
    return covered / (this.film.width * this.film.height);
  }

  private set(next: Drawn, step = ""): void {
    if (step === "" || step !== this.lastStep) this.before.push(this.now);
    this.lastStep = step;
    this.now = next;
  }
}

/** The edges that lie so near to the film's own are there: text often begins with the film, and a sliver of it
 * would stay. */
export function snapped(box: Box, film: Size, nearPx: number): Box {
  const low = (value: number): number => (value <= nearPx ? 0 : value);
  const high = (value: number, end: number): number => (value >= end - nearPx ? end : value);
  return {
    x_min: low(box.x_min),
    y_min: low(box.y_min),
    x_max: high(box.x_max, film.width),
    y_max: high(box.y_max, film.height),
  };
}

/** Every pixel that the box touches. */
export function wholePixels(box: Box, film: Size): Box {
  return {
    x_min: Math.max(Math.floor(box.x_min), 0),
    y_min: Math.max(Math.floor(box.y_min), 0),
    x_max: Math.min(Math.ceil(box.x_max), film.width),
    y_max: Math.min(Math.ceil(box.y_max), film.height),
  };
}

/** What a reader can take back and do again: the changes of a case, in the order in which they were made. */
import type { Change } from "../api/reading";
import type { Place } from "./place";

/** Whoever goes back further than this looks at the items themselves. */
export const MOST_DEEDS = 200;

export interface Deed {
  readonly back: readonly Change[];
  readonly forth: readonly Change[];
  /** Where the reader was. */
  readonly place: Place;
  /** Where the reader had gone on to when it was taken back; null of one that never was. */
  readonly onward: Place | null;
  /** Completes the sentence "Undone: …". */
  readonly name: string;
  /** Deeds of one group in a row are one: a note that is saved at every rest of the keys. */
  readonly group: string | null;
}

export type Way = "back" | "forth";

/** What is kept of a history when the page goes away. */
export interface Deeds {
  readonly done: readonly Deed[];
  /** The one that was undone last is the last. */
  readonly undone: readonly Deed[];
}

export const NO_DEEDS: Deeds = { done: [], undone: [] };

export class History {
  private done: Deed[];
  private undone: Deed[];

  constructor({ done, undone }: Deeds = NO_DEEDS) {
    // No group goes on in another page.
    this.done = done.map((deed) => ({ ...deed, group: null }));
    this.undone = [...undone];
  }

  get deeds(): Deeds {
    return { done: [...this.done], undone: [...this.undone] };
  }

  get numUndoable(): number {
    return this.done.length;
  }

  get numRedoable(): number {
    return this.undone.length;
  }

  /** Something new was done: what was undone before can no longer be done again. */
  add(deed: Deed): void {
    this.undone = [];
    const last = this.done.at(-1);
    if (last !== undefined && deed.group !== null && last.group === deed.group) {
      this.done[this.done.length - 1] = { ...deed, back: last.back };
      return;
    }
    this.done.push(deed);
    this.done = this.done.slice(-MOST_DEEDS);
  }

  /** What would be taken back, or done again. */
  next(way: Way): Deed | null {
    return (way === "back" ? this.done : this.undone).at(-1) ?? null;
  }

  /** It was taken back by a reader who was at `onward`. */
  wentBack(onward: Place): void {
    const deed = this.done.pop();
    if (deed !== undefined) this.undone.push({ ...deed, onward, group: null });
  }

  /** It was done again. */
  wentForth(): void {
    const deed = this.undone.pop();
    if (deed !== undefined) this.done.push({ ...deed, group: null });
  }

  /** It can neither be taken back nor done again. */
  drop(way: Way): void {
    (way === "back" ? this.done : this.undone).pop();
  }
}

/** What a reader can take back and do again: every change of a case, in the order in which it was made. */
import type { Change } from "../api/reading";
import type { Place } from "./place";

export interface Deed {
  readonly back: readonly Change[];
  readonly forth: readonly Change[];
  /** Where the reader was. */
  readonly place: Place;
  /** Completes the sentence "Undone: …". */
  readonly name: string;
  /** Deeds of one group in a row are one: a note that is saved at every rest of the keys. */
  readonly group: string | null;
}

export class History {
  private readonly done: Deed[] = [];
  private undone: Deed[] = [];

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
    if (last === undefined || deed.group === null || last.group !== deed.group) {
      this.done.push(deed);
      return;
    }
    this.done[this.done.length - 1] = { ...deed, back: last.back };
  }

  undo(): Deed | null {
    const deed = this.done.pop();
    if (deed === undefined) return null;
    this.undone.push({ ...deed, group: null });
    return deed;
  }

  redo(): Deed | null {
    const deed = this.undone.pop();
    if (deed === undefined) return null;
    this.done.push(deed);
    return deed;
  }
}

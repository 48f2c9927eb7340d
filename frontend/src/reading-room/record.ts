/** The record of one case: each change is shown, saved with the film it was made on, and can be taken back. */
import type { Change } from "../api/reading";
import { inverses, withChange } from "./changes";
import { nameOf } from "./naming";
import type { Place } from "./place";
import type { RoomState, SaveChange } from "./room-state";
import { History } from "./undo";

export interface RecordHost {
  readonly state: RoomState;
  set(part: Partial<RoomState>): void;
  goTo(place: Place): void;
  /** Asked at the moment of each change: else nothing is on screen, and nothing can be rated. */
  hasItsFilm(): boolean;
}

export class CaseRecord {
  private history = new History();

  constructor(
    private readonly host: RecordHost,
    private readonly save: SaveChange,
  ) {}

  /** Changes of one group in a row are undone together. */
  add(change: Change, group: string | null): void {
    if (!this.host.hasItsFilm()) return;
    const { reading, place } = this.host.state;
    const back = inverses(reading, change);
    if (back.length > 0) {
      this.history.add({ back, forth: [change], place, name: nameOf(reading, change), group });
    }
    this.apply(change);
  }

  /** What was done until now can no longer be taken back. */
  forget(): void {
    this.history = new History();
  }

  again(way: "back" | "forth"): void {
    if (!this.host.hasItsFilm()) return;
    const deed = way === "back" ? this.history.undo() : this.history.redo();
    if (deed === null) {
      return this.host.set({ said: way === "back" ? "Nothing to undo." : "Nothing to redo." });
    }
    for (const change of deed[way]) this.apply(change);
    this.host.goTo(deed.place);
    const { numUndoable, numRedoable } = this.numsUndoable;
    const left = way === "back" ? `${numUndoable} left to undo` : `${numRedoable} left to redo`;
    this.host.set({
      ...this.numsUndoable,
      said: `${way === "back" ? "Undone" : "Done again"}: ${deed.name}. ${left}.`,
    });
  }

  private apply(change: Change): void {
    const { reading } = this.host.state;
    this.host.set({ reading: withChange(reading, change), ...this.numsUndoable });
    this.save(change, reading.instance.sop_instance_uid);
  }

  private get numsUndoable(): Pick<RoomState, "numUndoable" | "numRedoable"> {
    return { numUndoable: this.history.numUndoable, numRedoable: this.history.numRedoable };
  }
}

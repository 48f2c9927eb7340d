/** The record of one case: each change is shown, saved with the film it was made on, and can be taken back. */
import type { Change, Reading } from "../api/reading";
import { inverses, withChange } from "./changes";
import { placeAfterFinding } from "./gaps";
import { nameOf } from "./naming";
import type { Place } from "./place";
import { missedFinding } from "./regions";
import type { RoomState, SaveChange } from "./room-state";
import { type Deed, type Deeds, History, type Way } from "./undo";

export interface RecordHost {
  readonly state: RoomState;
  set(part: Partial<RoomState>): void;
  goTo(place: Place): void;
  /** Asked at the moment of each change: else nothing is on screen, and nothing can be rated. */
  hasItsFilm(): boolean;
}

/** What was done in this case before the page was loaded, and where it is kept for the next one. */
export interface Past {
  readonly deeds: Deeds;
  keep(deeds: Deeds): void;
}

export class CaseRecord {
  private history: History;

  constructor(
    private readonly host: RecordHost,
    private readonly save: SaveChange,
    private readonly past: Past,
  ) {
    this.history = new History(past.deeds);
  }

  /** Changes of one group in a row are undone together. */
  add(change: Change, group: string | null): void {
    this.addAll([change], nameOf(this.host.state.reading, change), group);
  }

  /** Of items apart from each other, or each on what those before it made; undone together, the last one first. */
  addAll(changes: readonly Change[], name: string, group: string | null = null): void {
    if (!this.host.hasItsFilm()) return;
    const { reading, place } = this.host.state;
    const back = [...changes].reverse().flatMap((change) => inverses(reading, change));
    if (back.length > 0) {
      this.history.add({ back, forth: changes, place, onward: null, name, group });
      this.keep();
    }
    for (const change of changes) this.apply(change);
  }

  /** What was done until now can no longer be taken back. */
  forget(): void {
    this.history = new History();
    this.keep();
  }

  again(way: Way): void {
    if (!this.host.hasItsFilm()) return;
    const deed = this.history.next(way);
    if (deed === null) {
      return this.host.set({ said: way === "back" ? "Nothing to undo." : "Nothing to redo." });
    }
    const goes = isAsLeft(this.host.state.reading, way === "back" ? deed.forth : deed.back);
    const said = goes ? this.go(way, deed) : this.passOver(way, deed);
    this.keep();
    // Doing it again leads on from there, as doing it did.
    this.host.goTo(this.there((way === "forth" && goes && deed.onward) || deed.place));
    const { numUndoable, numRedoable } = this.numsUndoable;
    const left = way === "back" ? `${numUndoable} left to undo` : `${numRedoable} left to redo`;
    this.host.set({ ...this.numsUndoable, said: `${said} ${left}.` });
  }

  /** Unless it is a missed finding that is gone. */
  private there(place: Place): Place {
    const { reading } = this.host.state;
    const isGone = place.kind === "finding" && missedFinding(reading, place.finding) === null;
    return isGone ? placeAfterFinding(reading, place.side) : place;
  }

  private go(way: Way, deed: Deed): string {
    if (way === "back") this.history.wentBack(this.host.state.place);
    else this.history.wentForth();
    for (const change of deed[way]) this.apply(change);
    return `${way === "back" ? "Undone" : "Done again"}: ${deed.name}.`;
  }

  /** Another window said something of the item since: that stays. */
  private passOver(way: Way, deed: Deed): string {
    this.history.drop(way);
    const what = way === "back" ? "undone" : "done again";
    return `Not ${what}: ${deed.name} was changed elsewhere since, and stays as it is.`;
  }

  private keep(): void {
    this.past.keep(this.history.deeds);
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

/** Whether each item still says what these changes made it say. */
function isAsLeft(reading: Reading, changes: readonly Change[]): boolean {
  return changes.every((change) => {
    const [now] = inverses(reading, change);
    return now !== undefined && isSame(now.payload, change.payload);
  });
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return one === other;
  }
  const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return left.size === right.size && [...left].every(([key, value]) => isSame(value, right.get(key)));
}

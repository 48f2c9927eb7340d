/** The cases on the table: the one that is read, the one before it while its signature is on its way, and the next
 * one, ready behind. */
import type { Reading } from "../api/reading";
import type { FilmView } from "../viewer/film";
import type { FilmPair } from "../viewer/pair";
import { type Desk, hasItsFilm } from "./desk";
import { NextCase, readingIn } from "./next-case";
import type { SaveState } from "./save-state";

export class Desks {
  shown: Desk | null = null;
  /** Signed, and not confirmed yet: its film stays behind until it is, in case the server refuses. */
  left: Desk | null = null;
  /** The reading that the page is at, also while it is opened. */
  wanted: string | null = null;
  readonly next: NextCase;

  constructor(
    readonly views: FilmPair,
    layOut: (stored: Reading, view: FilmView) => Promise<Desk>,
  ) {
    this.next = new NextCase(layOut, () => views.behind());
  }

  isOpen(reading: string): boolean {
    return reading === this.wanted || reading === this.left?.uid;
  }

  show(desk: Desk): void {
    this.shown = desk;
    this.wanted = desk.uid;
  }

  putAway(): void {
    this.next.drop();
    this.shown?.saver.close();
    this.left?.saver.close();
    this.shown = this.left = null;
    this.views.front().clear();
  }

  /** No film stays in this page, not even the one made ready: it may be the same. */
  putFilmsAway(): void {
    this.next.drop();
    this.views.clear();
  }

  async prepareNext(): Promise<void> {
    const { shown } = this;
    // The number of the next case counts those that were opened before it, this one among them.
    await shown?.saver.flush();
    if (shown !== this.shown) return;
    const next = readingIn(shown?.room.state.reading.next ?? null);
    if (next !== null && this.left === null && shown && hasItsFilm(shown)) await this.next.prepare(next);
  }

  /** Sends what waits, of both cases. */
  flush(): void {
    void this.left?.saver.flush();
    void this.shown?.saver.flush();
  }

  /** Of both cases where the one before is still being signed: its trouble comes first. */
  save(now: SaveState): SaveState {
    const before = this.left?.saver.state;
    if (before === undefined) return now;
    return {
      numWaiting: before.numWaiting + now.numWaiting,
      savedAt: now.savedAt ?? before.savedAt,
      isKept: before.isKept && now.isKept,
      problem: before.problem ?? now.problem,
    };
  }
}

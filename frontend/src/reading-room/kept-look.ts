/** How a reader sees the rated film, its window, its polarity and its look: kept with the reading, and shown again. */
import type { Change, Reading } from "../api/reading";
import type { FilmView } from "../viewer/film";
import { isSeenAlike, type Seen } from "../viewer/window";
import type { RoomState } from "./room-state";

/** After the last change of it. */
const PAUSE_MS = 500;

export interface LookHost {
  readonly state: RoomState;
  /** Of the film that is rated. */
  readonly view: FilmView;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
}

export class KeptLook {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: LookHost) {}

  /** As the reader left the film, where it still has that look. */
  showAgain(): void {
    const { window } = this.host.state.reading;
    if (window && !this.host.view.seeAgain(seenIn(window))) {
      this.host.set({ said: "The film has no such look as you chose before. It is shown as it is stored." });
    }
  }

  changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), PAUSE_MS);
  }

  save(): void {
    clearTimeout(this.timer);
    const { display, film, reading } = this.host.state;
    if (display === null || film.kind !== "shown") return;
    const asStored: Seen = { window: film.values.initial, inverted: false, look: null };
    if (isSeenAlike(display, reading.window ? seenIn(reading.window) : asStored)) return;
    const { window, inverted, look } = display;
    this.host.change({ kind: "set_window", payload: { ...window, inverted, look } });
  }
}

function seenIn({ center, width, inverted, look }: NonNullable<Reading["window"]>): Seen {
  return { window: { center, width }, inverted, look };
}

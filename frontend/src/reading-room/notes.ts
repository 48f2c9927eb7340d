/** A reader's notes on steps: saved when the typing rests, so that a crash loses a word at most. */
import type { Change } from "../api/reading";
import { stepRating, writeNote } from "./changes";
import type { RoomState } from "./room-state";

const NOTE_PAUSE_MS = 800;

export interface NoteHost {
  readonly state: RoomState;
  /** Changes of one group in a row are undone together. */
  change(change: Change, group: string): void;
}

export class Notes {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private draft: { readonly step: string; readonly note: string } | null = null;
  private numBegun = 0;

  constructor(private readonly host: NoteHost) {}

  /** What is written from now on is undone apart from what was written before. */
  begin(): void {
    this.numBegun += 1;
  }

  write(step: string, note: string): void {
    this.draft = { step, note };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), NOTE_PAUSE_MS);
  }

  commit(): void {
    clearTimeout(this.timer);
    const { draft } = this;
    this.draft = null;
    const { reading } = this.host.state;
    if (draft === null || stepRating(reading, draft.step).note === draft.note) return;
    this.host.change(writeNote(reading, draft.step, draft.note), `note ${this.numBegun}`);
  }
}

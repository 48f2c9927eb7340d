/** What a reader writes is saved when the typing rests, so that a crash loses a word at most. */
import type { Change, Side } from "../api/reading";
import { openFirstRead } from "./first-read";
import { placeAfterFinding } from "./gaps";
import { completionOn, hasTwo, otherSide, type Place, questionAt } from "./place";
import { focusedStep } from "./region-items";
import { missedFinding } from "./regions";
import type { RoomState } from "./room-state";
import { isSameField, keeping, textIn, type Writing } from "./writing";

const PAUSE_MS = 800;
const NO_NOTE =
  "Nothing to write here: a note belongs to a step. What is typed now does nothing, until it pauses.";

export interface TextHost {
  readonly state: RoomState;
  readonly canRate: boolean;
  set(part: Partial<RoomState>): void;
  goTo(place: Place): void;
  /** Changes of one group in a row are undone together. */
  change(change: Change, group?: string): void;
}

export class Texts {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private draft: { readonly writing: Writing; readonly text: string } | null = null;
  private numBegun = 0;
  private vain: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: TextHost) {}

  /** Opens a field; what is written in it from now on is undone by itself. */
  start(writing: Writing, place: Place = this.host.state.place): void {
    this.host.goTo(place);
    this.numBegun += 1;
    if (this.host.canRate) this.host.set({ writing });
  }

  write(writing: Writing, text: string): void {
    this.draft = { writing, text: text.trim() };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), PAUSE_MS);
  }

  end(writing: Writing): void {
    this.commit();
    if (isSameField(this.host.state.writing, writing)) this.host.set({ writing: null });
    if (writing.field === "finding") this.leaveFinding(writing.uid);
  }

  commit(): void {
    clearTimeout(this.timer);
    const { draft } = this;
    this.draft = null;
    const { reading } = this.host.state;
    if (draft === null || textIn(reading, draft.writing).trim() === draft.text) return;
    this.host.change(keeping(reading, draft.writing, draft.text), `text ${this.numBegun}`);
  }

  /** A note on the step; where a question, or the first read, is answered in words, those. */
  startNote(): void {
    const { reading, place } = this.host.state;
    const question = questionAt(reading, place);
    const step = focusedStep(reading, place);
    const when = openFirstRead(reading);
    if (place.kind === "first-read") {
      if (when && reading.first_read?.form === "findings")
        this.start({ field: "impression", when }, { ...place, part: "impression" });
    } else if (question?.criterion.kind === "text") this.start({ field: "text", question });
    else if (step) this.start({ field: "note", step });
    else this.refuseWords();
  }

  private refuseWords(): void {
    this.host.set({ said: NO_NOTE });
    this.awaitPause();
  }

  /** Whether a letter is of words for which no field opened: as a command it would say what nobody meant. */
  takesInVain(): boolean {
    if (this.vain === undefined) return false;
    this.awaitPause();
    return true;
  }

  private awaitPause(): void {
    clearTimeout(this.vain);
    this.vain = setTimeout(() => {
      this.vain = undefined;
    }, PAUSE_MS);
  }

  /** The step as the reader would write it, else the answer, or the finding that has the focus. */
  startEdit(): void {
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    const completion = completionOn(reading, place.side);
    if (step) this.start({ field: "wording", step });
    else if (completion && place.kind === "finding") {
      this.start({ field: "finding", uid: place.finding, completion: completion.uid });
    } else if (completion) this.start({ field: "rewrite", completion });
  }

  startFinding(side: Side = this.host.state.place.side): void {
    const completion = completionOn(this.host.state.reading, side);
    if (completion === null) return;
    const uid = crypto.randomUUID();
    const finding: Place = { kind: "finding", side, finding: uid };
    this.start({ field: "finding", uid, completion: completion.uid }, finding);
  }

  /** A finding of which no word is written yet becomes one of the other output; false where none is. */
  turnFinding(): boolean {
    const { writing, place, reading } = this.host.state;
    if (writing?.field !== "finding" || !hasTwo(reading)) return false;
    this.startFinding(otherSide(place.side));
    return true;
  }

  /** Takes a missed finding back, with its regions. The focus goes on from there, wherever it was. */
  dropFinding(uid: string): void {
    const finding = missedFinding(this.host.state.reading, uid);
    if (finding === null) return;
    const { completion } = finding;
    this.host.change({ kind: "add_finding", payload: { uid, completion, text: null } });
    const { reading } = this.host.state;
    if (missedFinding(reading, uid) !== null) return;
    const side = reading.completions.find((one) => one.uid === completion)?.side;
    if (side !== undefined) this.host.goTo(placeAfterFinding(reading, side));
  }

  /** A finding that is no more, or never came to be, cannot keep the focus. */
  private leaveFinding(uid: string): void {
    const { place, reading } = this.host.state;
    if (place.kind !== "finding" || place.finding !== uid) return;
    if (missedFinding(reading, uid) !== null) return;
    this.host.goTo(placeAfterFinding(reading, place.side));
  }
}

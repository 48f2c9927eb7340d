/** Drawing regions and moving them: by the mouse or a finger on the film, by arrow keys, by numbers. */
import type { Change, Reading } from "../api/reading";
import {
  type Box,
  boxProblem,
  dragged,
  isDrawable,
  resized,
  rounded,
  type Size,
  startingBox,
} from "../viewer/geometry";
import type { Action } from "./actions";
import { adjustedBox, annotate, annotation, inverses } from "./changes";
import { itemInHand, ownerAt, type RegionItem } from "./region-items";
import { drawnRegion, drawRegion, type Owner, ownerOf } from "./regions";
import type { RoomState } from "./room-state";

const NUDGE_PAUSE_MS = 300;
const HOW_KEYS_MOVE =
  "Arrow keys move it, with Ctrl or Alt its edges, with Shift by 10 px. Del takes it away.";

type Moving = Extract<Action, { kind: "nudge" | "resize" }>;

export interface RegionHost {
  readonly state: RoomState;
  readonly canRate: boolean;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
  /** The film's tools let go of the keys that regions need too. */
  leaveMeasuring(): void;
}

export class RegionWork {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What was said of the region that is being redrawn, to go back to. */
  private before: Change | null = null;

  constructor(private readonly host: RegionHost) {}

  private get film(): Size {
    const { columns, rows } = this.host.state.reading.instance;
    return { width: columns, height: rows };
  }

  private get inHand(): RegionItem | null {
    const { reading, place, inHand } = this.host.state;
    return itemInHand(reading, place, inHand);
  }

  /** Opens the region in hand for redrawing; the same again closes it. */
  toggle(): void {
    const { drawing } = this.host.state;
    const item = this.inHand;
    if (item === null) return this.add();
    if (drawing === item.uid) return this.host.set({ drawing: null, fresh: null, hint: null });
    this.open(item.uid);
  }

  open(uid: string): void {
    const { reading } = this.host.state;
    this.host.leaveMeasuring();
    const known = drawnRegion(reading, uid);
    const owner = known && ownerOf(known);
    const said = annotation(reading, uid);
    this.before =
      known && owner
        ? drawRegion(uid, owner, known)
        : annotate(uid, said?.verdict ?? null, adjustedBox(said));
    this.host.set({ drawing: uid, fresh: null, hint: null });
  }

  /** Whether the open region is no longer where it was when it was opened. */
  get isMoved(): boolean {
    return this.before !== null && !isSaidAlready(this.host.state.reading, this.before);
  }

  /** Leaves the region as it was before it was opened. True where one was open. */
  giveUp(): boolean {
    const { drawing, fresh, reading } = this.host.state;
    if (drawing === null) return false;
    clearTimeout(this.timer);
    const { before } = this;
    this.before = null;
    this.host.set({ drawing: null, fresh: null, nudged: null, said: null });
    if (fresh === null && before !== null && !isSaidAlready(reading, before)) this.host.change(before);
    return true;
  }

  /** A further region, of what the reader is at. */
  add(owner: Owner | null = ownerAt(this.host.state.reading, this.host.state.place)): void {
    if (!this.host.canRate) return;
    if (owner === null) {
      return this.host.set({
        said: "A region is drawn for a step, a missed finding or the first read: go there.",
      });
    }
    this.host.leaveMeasuring();
    const fresh = { uid: crypto.randomUUID(), owner };
    const said = "Draw the new region on the film, or press an arrow key to begin in the middle. Esc: none.";
    this.host.set({ drawing: fresh.uid, fresh, hint: null, said });
  }

  /** Takes the reader's own region back. */
  remove(uid: string | null = this.inHand?.uid ?? null): void {
    const { reading, fresh } = this.host.state;
    if (fresh !== null) return this.host.set({ drawing: null, fresh: null, nudged: null, said: null });
    const drawn = uid === null ? null : drawnRegion(reading, uid);
    const owner = drawn && ownerOf(drawn);
    if (drawn === null || owner === null) {
      const said = "Only regions of your own can be deleted. X says that the model's is wrong.";
      return this.host.set({ said });
    }
    this.host.change(drawRegion(drawn.uid, owner, null));
    this.leave(drawn.uid);
  }

  /** The region that had the focus is gone: its step's first has it. */
  private leave(uid: string): void {
    const { place, reading } = this.host.state;
    this.host.set({ drawing: null, inHand: null });
    if (place.kind !== "step" || place.region !== uid || drawnRegion(reading, uid) !== null) return;
    const steps = reading.completions.flatMap((completion) => completion.steps);
    const region = steps.find((step) => step.uid === place.step)?.regions[0]?.uid ?? null;
    this.host.set({ place: { ...place, region } });
  }

  /** A box for a region: drawn, dragged, typed or moved by keys. */
  drawn(uid: string, box: Box): void {
    const { reading, fresh, place } = this.host.state;
    const known = drawnRegion(reading, uid);
    const owner = fresh?.uid === uid ? fresh.owner : known && ownerOf(known);
    this.host.change(owner === null ? annotate(uid, "adjusted", box) : drawRegion(uid, owner, box));
    this.host.set({ drawing: null, fresh: null, ...(owner === null ? {} : { inHand: uid }) });
    const isOfThisStep = place.kind === "step" && owner?.kind === "step" && owner.uid === place.step;
    if (isOfThisStep) this.host.set({ place: { ...place, region: uid } });
  }

  private isOwn(uid: string): boolean {
    const { reading, fresh } = this.host.state;
    return fresh?.uid === uid || drawnRegion(reading, uid) !== null;
  }

  /** Whether keys and numbers may move the region in hand: the model's own only once it is being redrawn. */
  isOpen(uid: string): boolean {
    const { reading, drawing } = this.host.state;
    const isOwn = drawnRegion(reading, uid) !== null;
    return isOwn || drawing === uid || annotation(reading, uid)?.verdict === "adjusted";
  }

  /** Arrow keys on the region that is open; it is saved once when the keys rest. */
  move(action: Moving): void {
    const { fresh, nudged } = this.host.state;
    const item = fresh ?? this.inHand;
    if (item === null || !this.isOpen(item.uid)) return;
    const now = nudged?.region === item.uid ? nudged.box : "box" in item ? item.box : null;
    const from = now !== null && isDrawable(now, this.film) ? now : startingBox(this.film);
    this.host.set({ nudged: { region: item.uid, box: rounded(moved(from, action, this.film)) } });
    // Whoever drew it by keys has nothing else that says how to go on.
    if (this.isOwn(item.uid)) this.host.set({ said: HOW_KEYS_MOVE });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), NUDGE_PAUSE_MS);
  }

  /** Numbers that the reader typed: what is wrong with them, or null where they are saved. */
  put(uid: string, box: Box): string | null {
    const problem = boxProblem(box, this.film);
    if (problem === null) this.drawn(uid, rounded(box));
    return problem;
  }

  /** Saves what still waits for a pause in the keys. */
  commit(): void {
    clearTimeout(this.timer);
    const { nudged, drawing } = this.host.state;
    if (nudged === null) return;
    this.host.set({ nudged: null });
    this.drawn(nudged.region, nudged.box);
    // A model's region stays open for the next key, a new one is the reader's own by now.
    if (drawing === nudged.region && drawnRegion(this.host.state.reading, drawing) === null) {
      this.host.set({ drawing });
    }
  }
}

function isSaidAlready(reading: Reading, change: Change): boolean {
  return JSON.stringify(inverses(reading, change)) === JSON.stringify([change]);
}

function moved(from: Box, action: Moving, film: Size): Box {
  const delta = { x: action.x, y: action.y };
  if (action.kind === "nudge") return dragged(from, "move", delta, film);
  return resized(from, action.corner, delta, film);
}

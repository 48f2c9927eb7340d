/** Redrawing regions: by the mouse or a finger on the film, by arrow keys, by numbers. */
import type { Change } from "../api/reading";
import { type Box, boxProblem, dragged, isDrawable, resized, rounded, startingBox } from "../viewer/geometry";
import { annotate, annotation } from "./changes";
import type { Action } from "./keys";
import { currentBox, focusedRegion } from "./marks";
import type { RoomState } from "./room-state";

const NUDGE_PAUSE_MS = 300;

type Moving = Extract<Action, { kind: "nudge" | "resize" }>;

export interface RegionHost {
  readonly state: RoomState;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
}

export class RegionWork {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: RegionHost) {}

  /** Opens a region for redrawing; the same again closes it. */
  toggle(region: string): void {
    this.host.set({ drawing: this.host.state.drawing === region ? null : region, hint: null });
  }

  drawn(region: string, box: Box): void {
    this.host.change(annotate(region, "adjusted", box));
    this.host.set({ drawing: null });
  }

  /** Arrow keys on the region that is open; it is saved once when the keys rest. */
  move(action: Moving): void {
    const { reading, place, drawing, nudged } = this.host.state;
    const region = focusedRegion(reading, place);
    if (region === null) return;
    if (drawing !== region.uid && annotation(reading, region.uid)?.verdict !== "adjusted") return;
    const film = { width: reading.instance.columns, height: reading.instance.rows };
    const now = nudged?.region === region.uid ? nudged.box : currentBox(reading, region);
    const from = isDrawable(now, film) ? now : startingBox(film);
    const delta = { x: action.x, y: action.y };
    const box =
      action.kind === "nudge"
        ? dragged(from, "move", delta, film)
        : resized(from, action.corner, delta, film);
    this.host.set({ nudged: { region: region.uid, box: rounded(box) } });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), NUDGE_PAUSE_MS);
  }

  /** Numbers that the reader typed; what is wrong with them, or null where they are saved. */
  put(region: string, box: Box): string | null {
    const { reading } = this.host.state;
    const problem = boxProblem(box, { width: reading.instance.columns, height: reading.instance.rows });
    if (problem === null) this.drawn(region, rounded(box));
    return problem;
  }

  /** Saves what still waits for a pause in the keys. */
  commit(): void {
    clearTimeout(this.timer);
    const { nudged } = this.host.state;
    if (nudged === null) return;
    this.host.set({ nudged: null });
    this.host.change(annotate(nudged.region, "adjusted", nudged.box));
  }
}

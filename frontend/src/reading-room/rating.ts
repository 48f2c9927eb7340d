/** What a key says of the item that has the focus, and where the focus goes once the item is complete. */
import type { Change } from "../api/reading";
import { annotate, annotation, cannotJudge, castVote, rateAnswer, ratePlausibility } from "./changes";
import type { Action } from "./keys";
import { focusedRegion, focusedStep } from "./marks";
import {
  afterCompleting,
  completionOn,
  hasTwo,
  isDone,
  isSideDone,
  isStepRated,
  openRegion,
  otherSide,
  type Place,
  stepPlace,
} from "./place";
import type { RoomState } from "./room-state";

export interface RatingHost {
  readonly state: RoomState;
  readonly canRate: boolean;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
  goTo(place: Place): void;
}

export type Rate = Extract<Action, { kind: "points" | "cannot-judge" | "verdict" }>;

export class Rating {
  /** The last key moved the focus to another item by itself. */
  private wentOn = false;

  constructor(private readonly host: RatingHost) {}

  /** Whether the focus went on by itself just now; asked once. */
  takeWentOn(): boolean {
    const { wentOn } = this;
    this.wentOn = false;
    return wentOn;
  }

  perform(action: Rate): void {
    const { reading, place, hint } = this.host.state;
    if (hint !== null) return;
    switch (action.kind) {
      case "points":
        return this.ratePoints(action.points);
      case "cannot-judge":
        if (place.kind === "step") this.advancing(cannotJudge(reading, place.step));
        return;
      case "verdict": {
        this.host.set({ drawing: null });
        const region = focusedRegion(reading, place);
        if (region) this.judgeByKey(region.uid, action.verdict);
      }
    }
  }

  private ratePoints(points: number): void {
    const { reading, place } = this.host.state;
    if (place.kind === "step") return this.advancing(ratePlausibility(reading, place.step, points));
    if (place.kind === "answer") {
      const completion = completionOn(reading, place.side);
      if (completion) this.advancing(rateAnswer(reading, completion.uid, place.criterion, points));
      return;
    }
    const side = (["a", "tie", "b"] as const)[points - 1];
    if (side) this.advancing(castVote(side));
  }

  /** On a redrawn region the key for "fits" means the box as it is drawn now, so there is nothing to save. */
  private judgeByKey(region: string, verdict: "fits" | "wrong"): void {
    const isRedrawn = annotation(this.host.state.reading, region)?.verdict === "adjusted";
    if (verdict === "wrong" || !isRedrawn) this.host.change(annotate(region, verdict));
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    const open = step && openRegion(reading, step);
    if (step && open) return this.host.goTo(stepPlace(place.side, step, open.uid));
    this.goOn();
  }

  private advancing(change: Change): void {
    this.host.change(change);
    this.goOn();
  }

  /** From a complete item to the next gap of the same output, whether or not it was complete before. */
  private goOn(): void {
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    // The steps of a malformed output need no rating, and one that is begun is still not left.
    const isComplete = step ? isStepRated(reading, step) : isDone(reading, place);
    if (!this.host.canRate || !isComplete) return;
    const next = afterCompleting(reading, place);
    if (next !== place) {
      this.host.goTo(next);
      this.wentOn = true;
      return;
    }
    const other = otherSide(place.side);
    if (place.kind === "vote" || !hasTwo(reading) || isSideDone(reading, other)) return;
    const [here, there] = [place.side.toUpperCase(), other.toUpperCase()];
    this.host.set({ hint: `Output ${here} is complete. Tab goes to ${there}.` });
  }
}

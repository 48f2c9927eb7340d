/** What a key says of the item that has the focus, and where the focus goes once the item is complete. */
import type { Change, Side, Step } from "../api/reading";
import type { Action } from "./actions";
import { answerTwinName, asAnswerTwin } from "./answer-twins";
import { annotate, annotation, cannotJudge, ratePlausibility } from "./changes";
import { firstRead, openFirstRead, sayingFirst, withFindingToggled } from "./first-read";
import { afterCompleting, isDone } from "./gaps";
import { knownFindingName } from "./missed";
import { missedByOther } from "./missed-by-both";
import {
  IN_WORDS_FIRST,
  NO_POINTS_TO_PASS,
  NO_REGION_TO_JUDGE,
  noPoints,
  noSuchValue,
  OWN_REGION_IN_HAND,
  thereAre,
} from "./no-such-value";
import { answerOverwritten, pointsOverwritten } from "./overwritten";
import { openRegion, type Place, questionAt, stepPlace } from "./place";
import { answering, answerTo, builtIn, optionFor, type Question, toggled } from "./questions";
import { focusedRegion, focusedStep } from "./region-items";
import { missedFinding } from "./regions";
import type { RoomState } from "./room-state";
import { wentOnTo } from "./turning";
import { asTwin, leftBeside, twinName, twinOf } from "./twins";

export interface RatingHost {
  readonly state: RoomState;
  readonly canRate: boolean;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
  /** Undone together, by this name. */
  changeAll(changes: readonly Change[], name: string): void;
  goTo(place: Place): void;
}

export type Rate = Extract<Action, { kind: "points" | "cannot-judge" | "verdict" | "as-twin" | "done" }>;

const MOST_POINTS = 5;

/** To the next region of the same step, or to the next item; from which output. Null once the reader has looked around
 * there: whoever walks on then means it. */
interface WentOn {
  readonly to: "region" | "item" | null;
  readonly from: Side;
}

export class Rating {
  /** The last key moved the focus to another item by itself. */
  private wentOn: WentOn | null = null;

  constructor(private readonly host: RatingHost) {}

  /** Where the focus went by itself just now; null where it did not. Asked once. */
  takeWentOn(): WentOn | null {
    const { wentOn } = this;
    this.wentOn = null;
    return wentOn;
  }

  /** The reader looks at the film: what was rated last is the same. */
  looked(): void {
    if (this.wentOn !== null) this.wentOn = { ...this.wentOn, to: null };
  }

  perform(action: Rate): void {
    const { reading, place } = this.host.state;
    if (action.kind === "done") return this.finishRedrawing();
    if (place.kind === "finding" && action.kind === "as-twin") return this.sayMissedByBoth(place.finding);
    if (place.kind === "finding") {
      const name = knownFindingName(reading, place.finding);
      return this.host.set({ hint: `${name.replace(/^m/, "M")} has the focus: Enter goes on to rate.` });
    }
    switch (action.kind) {
      case "points":
        return this.ratePoints(action.points);
      case "cannot-judge":
        if (place.kind !== "step" || !builtIn(reading, "plausibility")) {
          return this.host.set({ said: NO_POINTS_TO_PASS });
        }
        return this.advancing(cannotJudge(reading, place.step), this.pointsOverwritten(null));
      case "verdict": {
        this.host.set({ drawing: null });
        const region = focusedRegion(reading, place);
        if (region === null || !builtIn(reading, "verdict")) {
          return this.host.set({ said: this.behindOwn() ? OWN_REGION_IN_HAND : NO_REGION_TO_JUDGE });
        }
        return this.judgeByKey(region.uid, action.verdict);
      }
      case "as-twin":
        return this.rateAsTwin();
    }
  }

  /** By a key; the focus goes on as after any answer. */
  private rateAsTwin(): void {
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    if (step === null && place.kind !== "answer") {
      return this.host.set({ said: "On a step or an answer, this rates it as the other output's." });
    }
    if (!this.takeOver(place.side, step)) return;
    const { said, reading: now } = this.host.state;
    const open = step === null ? undefined : openRegion(now, step);
    if (open === undefined || step === null) this.goOn();
    else {
      this.host.goTo(stepPlace(place.side, step, open.uid));
      this.wentOn = { to: "region", from: place.side };
    }
    this.host.set({ said });
  }

  /** What one output missed, the other missed too. The focus stays: Enter goes on. */
  sayMissedByBoth(uid: string): void {
    const { reading } = this.host.state;
    const finding = missedFinding(reading, uid);
    if (finding === null) return this.host.set({ said: "Say first what was missed." });
    const found = missedByOther(reading, finding);
    if (typeof found === "string") return this.host.set({ said: found });
    this.host.changeAll(found.changes, found.name);
    this.host.set({ said: `Named as ${found.name} too.` });
  }

  /** Rates a step, or the answer, as its twin on the other side: never by itself, only where the reader says so.
   * False where nothing changed. */
  takeOver(side: Side, step: Step | null): boolean {
    const { reading } = this.host.state;
    const found = step === null ? asAnswerTwin(reading, side) : asTwin(reading, side, step);
    if (typeof found === "string") {
      this.host.set({ said: found });
      return false;
    }
    if (step === null) {
      const name = answerTwinName(side);
      this.host.changeAll(found, `the answer as ${name}`);
      this.host.set({ said: `Rated as ${name}.` });
      return true;
    }
    const twin = twinOf(reading, step) ?? step;
    const name = twinName(side, twin);
    this.host.changeAll(found, `step ${step.position} as ${name}`);
    this.host.set({ said: `Rated as ${name}.${leftBeside(this.host.state.reading, step, twin)}` });
    return true;
  }

  /** A region that was moved is right now, and counts as judged; the focus goes on as after any verdict, and from
   * a missed finding too. */
  private finishRedrawing(): void {
    const { reading, place, drawing } = this.host.state;
    const region = focusedRegion(reading, place);
    const isRedrawn = region !== null && annotation(reading, region.uid)?.verdict === "adjusted";
    if (region !== null && drawing === region.uid && !isRedrawn) {
      const said = "The region was not moved. F says that it fits as it is, Esc leaves it.";
      return this.host.set({ said });
    }
    this.host.set({ drawing: null, fresh: null });
    if (isRedrawn) return this.judgeByKey(region.uid, "fits");
    if (place.kind === "step" && place.region !== null && region === null) this.goOn();
    if (place.kind === "finding" && drawing === null) this.goOn();
  }

  private ratePoints(points: number): void {
    const { reading, place } = this.host.state;
    const question = questionAt(reading, place);
    if (place.kind === "first-read") return this.sayFirst(place.part, points);
    if (question !== null) return this.choose(question, points);
    const step = focusedStep(reading, place);
    if (step === null) return;
    if (!builtIn(reading, "plausibility")) return this.host.set({ said: noPoints(reading, step) });
    if (points > MOST_POINTS) return this.host.set({ said: thereAre(MOST_POINTS) });
    this.advancing(ratePlausibility(reading, step.uid, points), this.pointsOverwritten(points));
  }

  private choose(question: Question, points: number): void {
    const { reading, place } = this.host.state;
    const value = optionFor(question.criterion, points);
    if (value === null) return this.host.set({ said: noSuchValue(question.criterion) });
    if (question.criterion.kind !== "choices") {
      const said = answerOverwritten(reading, place, question, value);
      return this.advancing(answering(reading, question, value), said);
    }
    this.host.change(answering(reading, question, toggled(answerTo(reading, question), value)));
  }

  private sayFirst(part: Extract<Place, { kind: "first-read" }>["part"], points: number): void {
    const { reading } = this.host.state;
    const when = openFirstRead(reading);
    if (when === null || reading.first_read === null) return;
    if (part === "impression") return this.host.set({ said: IN_WORDS_FIRST });
    if (part === "confidence") {
      if (points > MOST_POINTS) return this.host.set({ said: thereAre(MOST_POINTS) });
      return this.host.change(sayingFirst(reading, when, { confidence: points }));
    }
    const { choices, findings_offered } = reading.first_read;
    const choice = choices[points - 1];
    const finding = findings_offered[points - 1];
    if (choice !== undefined) this.host.change(sayingFirst(reading, when, { choice }));
    if (choice === undefined && finding === undefined) {
      this.host.set({ said: thereAre(Math.max(choices.length, findings_offered.length)) });
    }
    if (finding === undefined) return;
    const findings = withFindingToggled(firstRead(reading, when).findings, finding);
    this.host.change(sayingFirst(reading, when, { findings }));
  }

  /** On a redrawn region the key for "fits" means the box as it is drawn now, so there is nothing to save. */
  private judgeByKey(region: string, verdict: "fits" | "wrong"): void {
    const isRedrawn = annotation(this.host.state.reading, region)?.verdict === "adjusted";
    if (verdict === "wrong" || !isRedrawn) this.host.change(annotate(region, verdict));
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    const open = step && openRegion(reading, step);
    if (!step || !open) return this.goOn();
    this.host.goTo(stepPlace(place.side, step, open.uid));
    this.wentOn = { to: "region", from: place.side };
  }

  /** Where the model's region of this step waits for its verdict, behind the reader's own one in hand. */
  private behindOwn(): Place | null {
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    const open = step && openRegion(reading, step);
    if (place.kind !== "step" || place.region === null || focusedRegion(reading, place) !== null) return null;
    return step && open ? stepPlace(place.side, step, open.uid) : null;
  }

  private letGoOfOwn(): void {
    const behind = this.behindOwn();
    if (behind === null) return;
    this.host.goTo(behind);
    this.wentOn = { to: "region", from: behind.side };
  }

  private pointsOverwritten(points: number | null): string | null {
    const { reading, place } = this.host.state;
    const step = focusedStep(reading, place);
    return step && pointsOverwritten(reading, step, points);
  }

  /** `said`: what it puts in the place of what stood there, if anything did. */
  private advancing(change: Change, said: string | null): void {
    this.host.change(change);
    this.goOn();
    if (said !== null && this.host.canRate) this.host.set({ said });
  }

  /** From a complete item to the next one that is open, whether or not it was complete before. */
  goOn(): void {
    const { reading, place } = this.host.state;
    if (!this.host.canRate) return;
    if (!isDone(reading, place)) return this.letGoOfOwn();
    const next = afterCompleting(reading, place);
    if (next === place) return;
    this.host.goTo(next);
    this.wentOn = { to: "item", from: place.side };
    // Where the keys begin to mean another output, the reader is told, on the screen and aloud.
    this.host.set(wentOnTo(reading, place, next));
  }
}

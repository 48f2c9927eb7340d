/** A case leaves the screen unsigned: a film of it was reported, it was taken out of use, or it is closed to its
 * reader. Nothing of it stays there, and nothing that was said is lost. */
import type { Answer } from "../api/client";
import type { Desk } from "./desk";
import type { Desks } from "./desks";
import { forgetLeftover, keptOf } from "./leftovers";
import type { Onward } from "./onward";
import type { Refusal } from "./refusals";
import type { Problem, Surroundings } from "./save-state";
import type { SessionState } from "./session-state";

export type Gone = Extract<Problem, { kind: "out-of-use" | "closed" }>;

export interface TakingHost {
  readonly state: SessionState;
  set(part: Partial<SessionState>): void;
}

export class TakenAway {
  constructor(
    private readonly desks: Desks,
    private readonly onward: Onward,
    private readonly host: TakingHost,
  ) {}

  /** It shows a name: it is off the screen at once, whether or not the server answers. */
  report(desk: Desk, film: string): void {
    desk.saver.report(film);
    desk.room.lose("A film of this case was reported.");
    this.desks.putFilmsAway();
    this.showReporting(desk);
  }

  showReporting({ room, saver }: Desk): void {
    const caseLabel = room.state.reading.case_label;
    this.host.set({
      stage: { kind: "reported", caseLabel, save: saver.state },
      isSigning: false,
      refusal: null,
    });
  }

  take(desk: Desk, gone: Gone): void {
    const { kind, sentence } = gone;
    if (desk === this.desks.left) return this.onward.takenAway(desk, sentence);
    desk.room.lose(sentence);
    this.desks.putFilmsAway();
    const caseLabel = desk.room.state.reading.case_label;
    const { numWaiting: numKept } = desk.saver.state;
    this.host.set({
      stage: {
        kind,
        uid: desk.uid,
        caseLabel,
        sentence,
        numKept,
        mayTake: kind === "closed" && gone.mayTake,
      },
      isSigning: false,
      refusal: null,
    });
  }

  /** The server does not even show the case: it is closed to its reader. Says whether that is so. */
  async takeUnseen(uid: string, answer: Answer<never>, around: Surroundings): Promise<boolean> {
    if (answer.kind !== "refused" || !(answer.body as Refusal | undefined)?.is_closed) return false;
    const kept = await keptOf(uid, around);
    if (this.desks.wanted !== uid) return true;
    const { caseLabel, number: numKept } = kept;
    const { sentence } = answer;
    this.host.set({ stage: { kind: "closed", uid, caseLabel, sentence, numKept, mayTake: false } });
    return true;
  }

  /** Of a case that is closed to its reader. */
  async forgetKept(desk: Desk | null, around: Surroundings): Promise<void> {
    const { stage } = this.host.state;
    if (desk !== null) await desk.saver.forgetAll();
    else if (stage.kind === "closed")
      await forgetLeftover({ reading: stage.uid, caseLabel: stage.caseLabel }, around);
    const { stage: now } = this.host.state;
    if (desk === this.desks.shown && now.kind === "closed") this.host.set({ stage: { ...now, numKept: 0 } });
  }
}

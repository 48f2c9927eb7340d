/** A case leaves the screen unsigned: a film of it was reported, it was taken out of use, or it is closed to its
 * reader. Nothing of it stays there, and nothing that was said is lost. */
import type { Desk } from "./desk";
import type { Desks } from "./desks";
import type { Onward } from "./onward";
import type { Problem } from "./save-state";
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

  /** Of a case that is closed to its reader. */
  async forgetKept(desk: Desk | null): Promise<void> {
    await desk?.saver.forgetAll();
    const { stage } = this.host.state;
    if (desk === this.desks.shown && stage.kind === "closed")
      this.host.set({ stage: { ...stage, numKept: 0 } });
  }
}

/** What a reader gives up for good: changes that can't be saved any more, and an amendment; what is lost with it is
 * said before. */
import { discardAmendment } from "../api/reading";
import type { Desks } from "./desks";
import type { Histories } from "./histories";
import { forgetLeftover, type Leftover } from "./leftovers";
import type { Login } from "./login";
import { lostInWords } from "./lost";
import type { Surroundings } from "./save-state";
import type { SessionState } from "./session-state";
import type { TakenAway } from "./taken-away";

export interface GivingUpHost {
  readonly state: SessionState;
  /** Null before the browser's own store is open. */
  readonly around: Surroundings | null;
  readonly histories: Histories;
  set(part: Partial<SessionState>): void;
}

export class GivingUp {
  constructor(
    private readonly desks: Desks,
    private readonly away: TakenAway,
    private readonly login: Login,
    private readonly account: string,
    private readonly host: GivingUpHost,
  ) {}

  /** Of a case, what this browser keeps for this reader. */
  async whatIsLost(reading: string): Promise<string> {
    const rows = (await this.host.around?.outbox.waiting(reading)) ?? [];
    const own = rows.filter(({ account }) => account === undefined || account === this.account);
    return lostInWords(own.map(({ change }) => change));
  }

  /** Nothing of this case can be saved any more: forget what waits. */
  async letGo(): Promise<void> {
    await this.desks.shown?.saver.dropRefused();
  }

  /** Of a case that is closed to its reader. */
  async forgetKept(): Promise<void> {
    const { around } = this.host;
    if (around) await this.away.forgetKept(this.desks.shown, around);
  }

  /** Of another case, which is closed to its reader or over. */
  async forgetLeftover(one: Leftover): Promise<void> {
    const { around } = this.host;
    if (around) await forgetLeftover(one, around);
    const { leftovers } = this.host.state;
    this.host.set({ leftovers: { ...leftovers, own: leftovers.own.filter((other) => other !== one) } });
  }

  /** Gives the open amendment up, with what waits to be sent of it and what could be taken back. Returns why it stays,
   * or null. */
  async discardAmendment(): Promise<string | null> {
    const desk = this.desks.shown;
    if (desk === null) return null;
    // A change on its way would arrive at a reading that is gone.
    await desk.saver.rest();
    const answer = await discardAmendment(desk.uid);
    if (answer.kind !== "done") {
      desk.saver.release();
      if (answer.kind === "locked-out") await this.login.findOut();
      return answer.sentence;
    }
    this.desks.putAway();
    this.host.set({ stage: { kind: "opening" } });
    await Promise.all([desk.saver.forgetAll(), this.host.histories.drop(desk.uid)]);
    location.assign(`/readings/${answer.body.amends}/`);
    return null;
  }
}

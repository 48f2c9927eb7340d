/** Locks a first read once every word of it is on the server, and then shows what was said of the film. */
import { lockFirstRead } from "../api/reading";
import type { Desk } from "./desk";

export interface LockListener {
  locked(desk: Desk): void;
  notLocked(desk: Desk, sentence: string): void;
  lockedOut(): Promise<void>;
}

export class FirstReadLock {
  /** Its id makes a repeat harmless. */
  private wanted: { readonly desk: Desk; readonly changeId: string } | null = null;

  constructor(private readonly listener: LockListener) {}

  ask(desk: Desk): Promise<void> {
    this.wanted = { desk, changeId: crypto.randomUUID() };
    return this.savingChanged(desk);
  }

  /** Something was saved, or could not be: perhaps it is time. */
  async savingChanged(desk: Desk): Promise<void> {
    const { wanted } = this;
    if (wanted?.desk !== desk) return;
    const { problem, numWaiting } = desk.saver.state;
    if (problem !== null) return this.refuse(desk, problem.sentence);
    if (numWaiting > 0) return;
    this.wanted = null;
    const film = desk.room.state.reading.instance.sop_instance_uid;
    const answer = await lockFirstRead(desk.uid, wanted.changeId, film);
    desk.room.isSigning = false;
    if (answer.kind === "done") {
      desk.room.reveal(answer.body);
      return this.listener.locked(desk);
    }
    this.refuse(desk, answer.sentence);
    if (answer.kind === "locked-out") await this.listener.lockedOut();
  }

  private refuse(desk: Desk, sentence: string): void {
    this.wanted = null;
    desk.room.isSigning = false;
    this.listener.notLocked(desk, sentence);
  }
}

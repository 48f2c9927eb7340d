/** Locks a first read once every word of it is on the server, and then shows what was said of the film. */
import { lockFirstRead } from "../api/reading";
import { Patience } from "../patience";
import type { Desk } from "./desk";

export interface LockListener {
  /** Whether the reader is at it still, as it was when it was to be locked. */
  isAt(desk: Desk): boolean;
  locked(desk: Desk): void;
  notLocked(desk: Desk, sentence: string): void;
  /** Whether it is locked is not known: the question or its answer was lost. It is asked again by itself. */
  unconfirmed(desk: Desk, sentence: string): void;
  lockedOut(): Promise<void>;
}

interface Wanted {
  readonly desk: Desk;
  /** Makes a repeat harmless. */
  readonly changeId: string;
  isAsking: boolean;
  /** A request of it found no answer: from then on nothing but an answer tells how it stands. */
  isUncertain: boolean;
}

export class FirstReadLock {
  private wanted: Wanted | null = null;
  private readonly patience = new Patience();

  constructor(private readonly listener: LockListener) {}

  ask(desk: Desk): Promise<void> {
    this.forget();
    this.wanted = { desk, changeId: crypto.randomUUID(), isAsking: false, isUncertain: false };
    return this.savingChanged(desk);
  }

  /** Something was saved, or could not be: perhaps it is time. */
  async savingChanged(desk: Desk): Promise<void> {
    const { wanted } = this;
    if (wanted?.desk !== desk || wanted.isAsking) return;
    const { problem, numWaiting } = desk.saver.state;
    // Nothing is said of the case meanwhile: once it was asked, what waits came before it and is no reason.
    if (problem !== null && !wanted.isUncertain) return this.refuse(wanted, problem.sentence);
    if (numWaiting > 0) return;
    await this.send(wanted);
  }

  private async send(wanted: Wanted): Promise<void> {
    const { desk, changeId } = wanted;
    if (wanted !== this.wanted || wanted.isAsking) return;
    if (!this.listener.isAt(desk)) return this.forget();
    this.patience.stop();
    wanted.isAsking = true;
    const film = desk.room.state.reading.instance.sop_instance_uid;
    const answer = await lockFirstRead(desk.uid, changeId, film);
    wanted.isAsking = false;
    if (wanted !== this.wanted) return;
    if (!this.listener.isAt(desk)) return this.forget();
    if (answer.kind === "done") {
      this.forget();
      desk.room.isSigning = false;
      desk.room.reveal(answer.body);
      return this.listener.locked(desk);
    }
    if (answer.kind === "unreachable") {
      wanted.isUncertain = true;
      this.listener.unconfirmed(desk, answer.sentence);
      return this.patience.later(() => void this.send(wanted));
    }
    if (answer.kind === "locked-out" && wanted.isUncertain) {
      // Whoever has logged in again has it asked by what is saved then.
      this.listener.unconfirmed(desk, answer.sentence);
      return this.listener.lockedOut();
    }
    this.refuse(wanted, answer.sentence);
    if (answer.kind === "locked-out") await this.listener.lockedOut();
  }

  private forget(): void {
    this.patience.stop();
    this.patience.renew();
    this.wanted = null;
  }

  private refuse({ desk }: Wanted, sentence: string): void {
    this.forget();
    desk.room.isSigning = false;
    this.listener.notLocked(desk, sentence);
  }
}

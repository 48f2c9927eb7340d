/** The files of all drops, sent one after the other: the server decodes each in a process of its own. */
import type { ImportItem } from "../api/studies";
import { Patience } from "../patience";
import type { Send, Sent } from "./sending";

export interface NamedFile {
  readonly file: File;
  /** With the folders that it lay in. */
  readonly name: string;
}

export interface Result {
  readonly name: string;
  /** `handed over`: an archive that is there; what is in it is judged by a worker. */
  readonly outcome: ImportItem["outcome"] | "handed over" | "not sent";
  readonly isToLookAt: boolean;
  readonly reason: string;
  readonly study: string | null;
}

/** Why nothing is sent although something waits. */
export interface Halt {
  /** `away` goes on by itself; the others when the person says so. */
  readonly why: "paused" | "away" | "locked-out";
  readonly sentence: string;
}

export interface QueueState {
  /** The file that is on its way. */
  readonly current: string | null;
  /** It takes long enough to be paused by itself: what is as large is sent in parts, if it is an archive. */
  readonly isLong: boolean;
  readonly numWaiting: number;
  readonly numUnsent: number;
  readonly halt: Halt | null;
}

export interface QueueHost {
  readonly send: Send;
  progress(share: number): void;
  judged(result: Result): void;
  changed(): void;
}

/** The files of one drop are one import: the first answer names it, and the others go on with it. */
interface Drop {
  batch: string | null;
  /** Of de-identification, as it was chosen when they were dropped. */
  readonly profile: string;
}

interface Waiting extends NamedFile {
  readonly drop: Drop;
}

const LONG_BYTES = 16 * 1024 ** 2;

export class UploadQueue {
  private waiting: Waiting[] = [];
  private unsent: Waiting[] = [];
  private current: Waiting | null = null;
  private halt: Halt | null = null;
  private readonly patience = new Patience();

  constructor(private readonly host: QueueHost) {}

  get state(): QueueState {
    return {
      current: this.current?.name ?? null,
      isLong: (this.current?.file.size ?? 0) > LONG_BYTES,
      numWaiting: this.waiting.length,
      numUnsent: this.unsent.length,
      halt: this.halt,
    };
  }

  /** Something would be lost if the page went. */
  get isBusy(): boolean {
    return this.current !== null || this.waiting.length > 0;
  }

  add(files: readonly NamedFile[], profile: string): void {
    const drop: Drop = { batch: null, profile };
    this.waiting.push(...files.map((file) => ({ ...file, drop })));
    this.host.changed();
    void this.work();
  }

  /** After the file that is on its way, or its part. */
  pause(): void {
    this.patience.stop();
    this.stop({ why: "paused", sentence: "Paused." });
  }

  /** After a pause, and at once where the server was away. */
  goOn(): void {
    this.patience.stop();
    this.halt = null;
    this.host.changed();
    void this.work();
  }

  /** What waits is not sent; what was sent stays. */
  leaveOut(): void {
    this.waiting = [];
    this.patience.stop();
    this.halt = null;
    this.host.changed();
  }

  /** Those that could not be sent, as an import of their own for each profile. */
  sendAgain(): void {
    const again = this.unsent;
    this.unsent = [];
    for (const profile of new Set(again.map(({ drop }) => drop.profile))) {
      this.add(
        again.filter(({ drop }) => drop.profile === profile),
        profile,
      );
    }
  }

  private stop(halt: Halt): void {
    this.halt = halt;
    this.host.changed();
  }

  private async work(): Promise<void> {
    if (this.current !== null || this.halt !== null) return;
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.current = next;
    this.host.changed();
    const answer = await this.host.send(next.file, {
      batch: next.drop.batch,
      profile: next.drop.profile,
      progress: (share) => this.host.progress(share),
      mayGoOn: () => this.halt === null,
    });
    this.current = null;
    if (answer.kind === "done") this.done(next, answer.body);
    else if (answer.kind === "refused") this.notSent(next, answer.sentence);
    else this.keep(next, answer);
    this.forgetLatePause();
    this.host.changed();
    void this.work();
  }

  /** One that came with the last file has nothing to hold back. */
  private forgetLatePause(): void {
    if (this.halt?.why === "paused" && this.waiting.length === 0) this.halt = null;
  }

  private done({ name, drop }: Waiting, sent: Sent): void {
    this.patience.renew();
    if (!("items" in sent)) {
      return this.host.judged({ name, outcome: "handed over", isToLookAt: false, reason: "", study: null });
    }
    const { batch, items } = sent;
    drop.batch = batch;
    for (const { outcome, reason, study, is_to_look_at } of items) {
      this.host.judged({ name, outcome, isToLookAt: is_to_look_at, reason: reason ?? "", study });
    }
  }

  private notSent(file: Waiting, reason: string): void {
    this.unsent.push(file);
    this.host.judged({ name: file.name, outcome: "not sent", isToLookAt: false, reason, study: null });
  }

  /** First in line again, once it can be sent. */
  private keep(
    file: Waiting,
    { kind, sentence }: { kind: "locked-out" | "unreachable"; sentence: string },
  ): void {
    this.waiting.unshift(file);
    // Who paused meanwhile wants nothing sent by itself.
    if (this.halt !== null) return;
    if (kind === "locked-out") return this.stop({ why: "locked-out", sentence });
    this.stop({ why: "away", sentence });
    this.patience.later(() => this.goOn());
  }
}

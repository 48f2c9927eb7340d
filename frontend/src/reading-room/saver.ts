/** Sends the changes of one reading to the server, one after the other, until each is confirmed. */
import type { Answer } from "../api/client";
import type { Change, Saved, SentChange } from "../api/reading";
import type { Outbox } from "./outbox";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export interface SaveState {
  readonly numWaiting: number;
  readonly savedAt: string | null;
  readonly problem: {
    readonly kind: "unreachable" | "locked-out" | "refused";
    readonly sentence: string;
  } | null;
}

export type PostChange = (change: SentChange) => Promise<Answer<Saved>>;

export class Saver {
  state: SaveState;
  private sending: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  /** Adding is a queue of its own: two quick keys must reach the outbox in their order. */
  private adding: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly reading: string,
    private readonly outbox: Outbox,
    private readonly post: PostChange,
    private readonly tell: (state: SaveState) => void,
    savedAt: string | null,
  ) {
    this.state = { numWaiting: 0, savedAt, problem: null };
  }

  /** The changes that a page before this one could not send. */
  async unsent(): Promise<Change[]> {
    return (await this.outbox.waiting(this.reading)).map((row) => row.change);
  }

  save(change: Change, sopInstanceUid: string): void {
    const sent: SentChange = { ...change, change_id: crypto.randomUUID(), sop_instance_uid: sopInstanceUid };
    this.set({ numWaiting: this.state.numWaiting + 1 });
    this.adding = this.adding.then(() => this.outbox.add(this.reading, sent));
    void this.adding.then(() => this.send());
  }

  /** Resolves when everything is confirmed, or when a problem stops it. */
  async flush(): Promise<void> {
    await this.adding;
    clearTimeout(this.timer);
    await this.send();
  }

  /** Forgets the change that the server refused for good, so that those after it can go on. */
  async dropRefused(): Promise<void> {
    const [first] = await this.outbox.waiting(this.reading);
    if (first && this.state.problem?.kind === "refused") await this.outbox.remove(first.sequence);
    this.set({ problem: null });
    await this.flush();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private send(): Promise<void> {
    this.sending ??= exclusively(`outbox ${this.reading}`, () => this.sendAll()).finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    if (this.state.problem?.kind === "refused") return;
    for (;;) {
      const rows = await this.outbox.waiting(this.reading);
      this.set({ numWaiting: rows.length });
      const [first] = rows;
      if (first === undefined || this.isClosed) return;
      const answer = await this.post(first.change);
      if (answer.kind !== "done") {
        this.set({ problem: { kind: answer.kind, sentence: answer.sentence } });
        if (answer.kind !== "refused") this.tryLater();
        return;
      }
      await this.outbox.remove(first.sequence);
      this.waitMs = FIRST_WAIT_MS;
      this.set({ savedAt: answer.body.saved_at, problem: null });
    }
  }

  private tryLater(): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), this.waitMs);
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
  }

  private set(part: Partial<SaveState>): void {
    this.state = { ...this.state, ...part };
    this.tell(this.state);
  }
}

/** Two tabs on one reading take turns; without locks the server's own check of ids makes a repeat harmless. */
async function exclusively(name: string, work: () => Promise<void>): Promise<void> {
  if (typeof navigator === "undefined" || navigator.locks === undefined) return work();
  await navigator.locks.request(name, work);
}

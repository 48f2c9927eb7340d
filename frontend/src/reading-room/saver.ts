/** Sends the changes of one reading to the server, one after the other, until each is confirmed. */
import type { Answer } from "../api/client";
import type { Change, Saved, SentChange } from "../api/reading";
import { type Outbox, outboxInMemory } from "./outbox";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export interface SaveState {
  readonly numWaiting: number;
  readonly savedAt: string | null;
  /** Whether unsent changes outlive the page. */
  readonly isKept: boolean;
  readonly problem: {
    readonly kind: "unreachable" | "locked-out" | "refused";
    readonly sentence: string;
  } | null;
}

/** Of a Storage, what is needed: it writes before it returns, also while a page goes away. */
export type LastResort = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export type PostChange = (change: SentChange) => Promise<Answer<Saved>>;

export class Saver {
  state: SaveState;
  private sending: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  /** Adding is a queue of its own: two quick keys must reach the outbox in their order. */
  private adding: Promise<void> = Promise.resolve();
  private isClosed = false;
  /** Not yet in the outbox, which takes a moment. */
  private readonly onTheWay = new Map<string, SentChange>();

  constructor(
    private readonly reading: string,
    private outbox: Outbox,
    private readonly lastResort: LastResort,
    private readonly post: PostChange,
    private readonly tell: (state: SaveState) => void,
    savedAt: string | null,
  ) {
    this.state = { numWaiting: 0, savedAt, isKept: outbox.isLasting, problem: null };
  }

  /** The changes that a page before this one could not send. */
  async unsent(): Promise<Change[]> {
    const rescued: SentChange[] = JSON.parse(this.lastResort.getItem(this.lastResortKey) ?? "[]");
    for (const change of rescued) await this.outbox.add(this.reading, change);
    this.lastResort.removeItem(this.lastResortKey);
    const rows = await this.outbox.waiting(this.reading);
    this.set({ numWaiting: rows.length });
    return rows.map((row) => row.change);
  }

  /** The page goes away, and its database with it: what is on the way there is written down at once. */
  leave(): void {
    if (this.onTheWay.size === 0) return;
    const waiting = [...this.onTheWay.values()];
    this.lastResort.setItem(this.lastResortKey, JSON.stringify(waiting));
    // Time alone may overtake what waits before it; the server takes an id that comes twice once.
    for (const change of waiting) if (change.kind === "add_active_time") void this.post(change);
  }

  /** A full disk or a browser that gives its database up: go on without, and the page says so. */
  private async addToMemory(sent: SentChange): Promise<void> {
    const rows = await this.outbox.waiting(this.reading).catch(() => []);
    this.outbox = outboxInMemory();
    for (const row of rows) await this.outbox.add(this.reading, row.change);
    await this.outbox.add(this.reading, sent);
    this.set({ isKept: false });
  }

  private get lastResortKey(): string {
    return `deepmedix-unsent-${this.reading}`;
  }

  save(change: Change, sopInstanceUid: string): void {
    const sent: SentChange = { ...change, change_id: crypto.randomUUID(), sop_instance_uid: sopInstanceUid };
    this.set({ numWaiting: this.state.numWaiting + 1 });
    this.onTheWay.set(sent.change_id, sent);
    this.adding = this.adding.then(async () => {
      await this.outbox.add(this.reading, sent).catch(() => this.addToMemory(sent));
      this.onTheWay.delete(sent.change_id);
      // The page stayed after all, and the outbox has it.
      if (this.onTheWay.size === 0) this.lastResort.removeItem(this.lastResortKey);
    });
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

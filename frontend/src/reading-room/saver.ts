/** Sends what a reader did at one case to the server, one thing after the other, until each is confirmed. */
import type { Answer } from "../api/client";
import {
  type Change,
  type Confirmed,
  isChange,
  type Reading,
  type Sent,
  type Signed,
  type Stored,
} from "../api/reading";
import { itemOf, seenIn } from "./items";
import { type InstantStorage, LastResort } from "./last-resort";
import { type Kept, type Outbox, outboxInMemory, type Waiting } from "./outbox";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export type Problem =
  | { readonly kind: "unreachable" | "locked-out"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string }
  /** Another window changed the same item: nothing is sent until the reader has chosen. */
  | { readonly kind: "conflict"; readonly sentence: string; readonly mine: Sent; readonly stored: Stored };

export interface SaveState {
  readonly numWaiting: number;
  readonly savedAt: string | null;
  /** Whether unsent changes outlive the page. */
  readonly isKept: boolean;
  readonly problem: Problem | null;
}

export type SavedReading = Pick<Reading, "uid" | "case_label" | "saved_at" | "latest_changes">;

export interface Surroundings {
  readonly account: string;
  readonly outbox: Outbox;
  readonly storage: InstantStorage;
  send(reading: string, sent: Sent): Promise<Answer<Confirmed>>;
}

export interface SaverListener {
  changed(state: SaveState): void;
  signed(signed: Signed): void;
  /** The signature was refused, or something before it, and is gone: the reader may sign anew. */
  notSigned(sentence: string): void;
}

export class Saver {
  state: SaveState;
  private sending: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FIRST_WAIT_MS;
  /** Adding is a queue of its own: two quick keys must reach the outbox in their order. */
  private adding: Promise<void> = Promise.resolve();
  private isAsked = false;
  private isClosed = false;
  private isHeld = false;
  private outbox: Outbox;
  private readonly lastResort: LastResort;
  /** By item, the last change that this page knows of, its own unsent ones included. */
  private readonly seen: Map<string, string>;
  /** The signature that is on its way. */
  private signature: Sent | null = null;

  constructor(
    private readonly reading: SavedReading,
    private readonly around: Surroundings,
    private readonly listener: SaverListener,
  ) {
    this.outbox = around.outbox;
    this.lastResort = new LastResort(around.storage, reading.uid);
    this.seen = seenIn(reading);
    const savedAt = reading.saved_at;
    this.state = { numWaiting: 0, savedAt, isKept: this.outbox.isLasting, problem: null };
  }

  get isSigning(): boolean {
    return this.signature !== null;
  }

  /** The changes that a page before this one could not send. */
  async unsent(): Promise<Change[]> {
    const rows = await this.rows();
    for (const { change } of rows) {
      if (change.kind === "sign") this.signature = change;
      this.note(change);
    }
    this.set({ numWaiting: rows.length });
    return rows.map((row) => row.change).filter(isChange);
  }

  /** Of this account alone; rows from before accounts were kept have none, and are its reading's reader's. */
  private async rows(): Promise<Waiting[]> {
    const rows = await this.outbox.waiting(this.reading.uid);
    return rows.filter(({ account }) => account === undefined || account === this.around.account);
  }

  save(change: Change, sopInstanceUid: string): void {
    const item = itemOf(change);
    const seen = item === null ? {} : { seen: this.seen.get(item) ?? null };
    this.put({ ...change, ...seen, change_id: crypto.randomUUID(), sop_instance_uid: sopInstanceUid });
  }

  /** The signature goes the way of every change, after all that was said before it. */
  sign(sopInstanceUid: string): void {
    if (this.signature !== null) return;
    const signature: Sent = {
      kind: "sign",
      change_id: crypto.randomUUID(),
      sop_instance_uid: sopInstanceUid,
    };
    this.signature = signature;
    this.put(signature);
  }

  /** The case, fetched ahead, is on the screen. */
  opened(): void {
    this.put({ kind: "open", change_id: crypto.randomUUID() });
  }

  private put(sent: Sent): void {
    const { uid: reading, case_label: caseLabel } = this.reading;
    const kept: Kept = { account: this.around.account, reading, caseLabel, change: sent };
    this.note(sent);
    this.set({ numWaiting: this.state.numWaiting + 1 });
    this.lastResort.put(kept);
    this.adding = this.adding.then(async () => {
      await this.outbox.add(kept).catch(() => this.addToMemory(kept));
      this.lastResort.arrived(sent.change_id);
    });
    void this.adding.then(() => this.send());
  }

  private note(sent: Sent): void {
    const item = isChange(sent) ? itemOf(sent) : null;
    if (item !== null) this.seen.set(item, sent.change_id);
  }

  /** A full disk or a browser that gives its database up: go on without, and the page says so. */
  private async addToMemory(kept: Kept): Promise<void> {
    const rows = await this.rows().catch(() => []);
    this.outbox = outboxInMemory();
    for (const row of rows) await this.outbox.add(row);
    await this.outbox.add(kept);
    this.set({ isKept: false });
  }

  /** The page goes away. Time alone may overtake what waits before it; an id that comes twice counts once. */
  leave(): void {
    if (this.isHeld) return;
    for (const { change, reading } of this.lastResort.rows) {
      if (change.kind === "add_active_time") void this.around.send(reading, change);
    }
  }

  /** Keeps everything here until `release`: the server has not yet said that this case is the next one. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    void this.flush();
  }

  /** Resolves when everything is confirmed, or when a problem stops it. */
  async flush(): Promise<void> {
    await this.adding;
    clearTimeout(this.timer);
    await this.send();
  }

  /** Forgets what the server refused for good, so that what comes after it can go on. */
  async dropRefused(): Promise<void> {
    const [first] = await this.rows();
    if (first && this.state.problem?.kind === "refused") {
      await this.outbox.remove(first.sequence);
    }
    this.set({ problem: null });
    await this.flush();
  }

  /** The reader has seen both versions of an item. */
  async choose(version: "mine" | "stored"): Promise<void> {
    const { problem } = this.state;
    if (problem?.kind !== "conflict" || !isChange(problem.mine)) return;
    await this.adding;
    const rows = await this.rows();
    if (version === "mine") await this.putAbove(rows, problem.stored.change_id);
    else await this.forgetItem(rows, itemOf(problem.mine));
    this.set({ problem: null });
    await this.flush();
  }

  private async putAbove([first]: Waiting[], stored: string): Promise<void> {
    if (first && isChange(first.change)) {
      await this.outbox.replace({ ...first, change: { ...first.change, seen: stored } });
    }
  }

  private async forgetItem(rows: Waiting[], item: string | null): Promise<void> {
    for (const { sequence, change } of rows) {
      if (isChange(change) && itemOf(change) === item) await this.outbox.remove(sequence);
    }
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private send(): Promise<void> {
    this.isAsked = true;
    this.sending ??= exclusively(`outbox ${this.reading.uid}`, () => this.sendWhileAsked()).finally(() => {
      this.sending = null;
      // Asked between the last look and now.
      if (this.isAsked) void this.send();
    });
    return this.sending;
  }

  private async sendWhileAsked(): Promise<void> {
    while (this.isAsked) {
      this.isAsked = false;
      await this.sendAll();
    }
  }

  private get isStopped(): boolean {
    const { problem } = this.state;
    return this.isClosed || this.isHeld || problem?.kind === "refused" || problem?.kind === "conflict";
  }

  private async sendAll(): Promise<void> {
    while (!this.isStopped) {
      const rows = await this.rows();
      const numWaiting = this.count(rows);
      // Another window sent the signature meanwhile; its id gets the same answer again.
      const next = rows[0]?.change ?? this.signature;
      if (next === null && numWaiting === 0) return this.settle();
      this.set({ numWaiting });
      if (next === null || this.isStopped) return;
      const answer = await this.around.send(this.reading.uid, next);
      if (answer.kind !== "done") return this.stopAt(next, answer);
      if (rows[0]) await this.outbox.remove(rows[0].sequence);
      this.waitMs = FIRST_WAIT_MS;
      // More may have come while this one was on its way.
      this.confirm(answer.body, this.count(await this.rows()));
    }
  }

  /** With those that are still on their way into the outbox. */
  private count(rows: Waiting[]): number {
    return new Set([...rows, ...this.lastResort.rows].map(({ change }) => change.change_id)).size;
  }

  /** Nothing is left; what was is saved, perhaps by another window. */
  private settle(): void {
    const { numWaiting, savedAt } = this.state;
    this.set({
      numWaiting: 0,
      savedAt: numWaiting > 0 ? new Date().toISOString() : savedAt,
      problem: null,
    });
  }

  private confirm(confirmed: Confirmed, numWaiting: number): void {
    if (confirmed.kind === "opened") return this.set({ numWaiting, problem: null });
    if (confirmed.kind === "changed") {
      return this.set({ numWaiting, savedAt: confirmed.body.saved_at, problem: null });
    }
    this.signature = null;
    this.set({ numWaiting, savedAt: confirmed.body.signed_at, problem: null });
    this.listener.signed(confirmed.body);
  }

  private async stopAt(sent: Sent, answer: Exclude<Answer<never>, { kind: "done" }>): Promise<void> {
    const { kind, sentence } = answer;
    if (kind !== "refused") {
      this.set({ problem: { kind, sentence } });
      return this.tryLater();
    }
    const stored = (answer.body as { stored?: Stored } | null | undefined)?.stored;
    const problem: Problem = stored ? { kind: "conflict", sentence, mine: sent, stored } : { kind, sentence };
    const isSigning = this.signature !== null;
    if (isSigning) await this.withdrawSignature();
    this.set(sent.kind === "sign" ? { problem: null } : { problem });
    if (isSigning) this.listener.notSigned(sentence);
  }

  /** It was meant for what the reader saw; what was refused is not that. */
  private async withdrawSignature(): Promise<void> {
    const rows = await this.rows();
    for (const { sequence, change } of rows) if (change.kind === "sign") await this.outbox.remove(sequence);
    this.signature = null;
    this.set({ numWaiting: rows.filter(({ change }) => change.kind !== "sign").length });
  }

  private tryLater(): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // Each change asks by itself: only tries without one get rarer.
      this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
      void this.send();
    }, this.waitMs);
  }

  private set(part: Partial<SaveState>): void {
    this.state = { ...this.state, ...part };
    this.listener.changed(this.state);
  }
}

/** Two tabs on one reading take turns; without locks the server's own check of ids makes a repeat harmless. */
async function exclusively(name: string, work: () => Promise<void>): Promise<void> {
  if (typeof navigator === "undefined" || navigator.locks === undefined) return work();
  await navigator.locks.request(name, work);
}

/** Sends what a reader did at one case to the server, one thing after the other, until each is confirmed. */
import type { Answer } from "../api/client";
import { type Change, type Confirmed, isChange, type Reported, type Sent, type Signed } from "../api/reading";
import { Patience } from "../patience";
import { itemOf } from "./items";
import type { Waiting } from "./outbox";
import { FOR_GOOD, problemOf } from "./refusals";
import type { SavedReading, SaveState, Surroundings } from "./save-state";
import { inTurn } from "./turns";
import { Unsent } from "./unsent";

export interface SaverListener {
  changed(state: SaveState): void;
  signed(signed: Signed): void;
  /** The signature was refused, or something before it, and is gone: the reader may sign anew. */
  notSigned(sentence: string): void;
  /** The server has it that a film shows a name. */
  reported(reported: Reported): void;
}

export class Saver {
  state: SaveState;
  private sending: Promise<void> | null = null;
  private readonly patience = new Patience();
  private isAsked = false;
  private isClosed = false;
  private isHeld = false;
  private readonly kept: Unsent;
  /** By the server's clock. */
  private confirmedAt: string | null;
  /** The signature that is on its way. */
  private signature: Sent | null = null;
  /** The report that is on its way. */
  private namedFilm: Sent | null = null;

  constructor(
    private readonly reading: SavedReading,
    private readonly around: Surroundings,
    private readonly listener: SaverListener,
  ) {
    this.confirmedAt = reading.saved_at;
    this.kept = new Unsent(reading, around, () => this.set({ isKept: this.kept.isKept }));
    this.state = { numWaiting: 0, savedAt: reading.saved_at, isKept: this.kept.isKept, problem: null };
  }

  get isSigning(): boolean {
    return this.signature !== null;
  }

  /** A film was said to show a name and the server has not confirmed it: nothing of the case may be shown. */
  get isReporting(): boolean {
    return this.namedFilm !== null;
  }

  /** The changes that a page before this one could not send. */
  async unsent(): Promise<Change[]> {
    const rows = await this.kept.rows();
    for (const { change } of rows) {
      if (change.kind === "sign") this.signature = change;
      if (change.kind === "report_name") this.namedFilm = change;
      this.kept.note(change);
    }
    this.set({ numWaiting: rows.length });
    return rows.map((row) => row.change).filter(isChange);
  }

  save(change: Change, sopInstanceUid: string): void {
    this.put(this.kept.made(change, sopInstanceUid));
  }

  /** The signature goes the way of every change, after all that was said before it. */
  sign(sopInstanceUid: string): void {
    if (this.signature !== null) return;
    const signature: Sent = {
      kind: "sign",
      seconds_ago: 0,
      change_id: crypto.randomUUID(),
      sop_instance_uid: sopInstanceUid,
    };
    this.signature = signature;
    this.put(signature);
  }

  /** After all that was said before it, but it waits for nothing that does not get through. */
  report(film: string): void {
    if (this.namedFilm !== null) return;
    const report: Sent = { kind: "report_name", change_id: crypto.randomUUID(), film };
    this.namedFilm = report;
    this.put(report);
  }

  /** The case, fetched ahead, is on the screen. */
  opened(): void {
    this.put({ kind: "open", seconds_ago: 0, change_id: crypto.randomUUID() });
  }

  private put(sent: Sent): void {
    this.set({ numWaiting: this.state.numWaiting + 1 });
    void this.kept.put(sent).then(() => this.send());
  }

  /** The page goes away. Time and a report alone may overtake what waits before them; an id that comes twice
   * counts once. */
  leave(): void {
    for (const { change, reading } of this.kept.arriving) {
      const isTime = change.kind === "add_active_time" && !this.isHeld;
      if (isTime || change.kind === "report_name") void this.around.send(reading, change);
    }
  }

  /** Keeps everything here until `release`: the server has not yet said that this case is the next one. */
  hold(): void {
    this.isHeld = true;
  }

  /** Keeps what comes from now on here, and resolves when what is on its way has its answer. */
  async rest(): Promise<void> {
    this.hold();
    await this.sending;
  }

  release(): void {
    this.isHeld = false;
    void this.flush();
  }

  /** Resolves when everything is confirmed, or when a problem stops it. */
  async flush(): Promise<void> {
    await this.kept.arrived();
    this.patience.stop();
    await this.send();
  }

  /** Forgets what the server refused for good, so that what comes after it can go on. */
  async dropRefused(): Promise<void> {
    const [first] = await this.kept.rows();
    if (this.state.problem?.kind === "over") await this.forgetAll();
    else if (first && this.state.problem?.kind === "refused") await this.kept.remove(first);
    this.set({ problem: null });
    await this.flush();
  }

  /** The reader gives up what waits: nothing of it could be sent. */
  async forgetAll(): Promise<void> {
    await this.kept.arrived();
    this.set({ numWaiting: await this.kept.forgetAllThatWasSaid() });
  }

  /** The reader has seen both versions of an item. */
  async choose(version: "mine" | "stored"): Promise<void> {
    const { problem } = this.state;
    if (problem?.kind !== "conflict" || !isChange(problem.mine)) return;
    await this.kept.arrived();
    if (version === "mine") await this.kept.putAbove(problem.stored.change_id);
    else await this.kept.forgetItem(itemOf(problem.mine));
    this.set({ problem: null });
    await this.flush();
  }

  close(): void {
    this.isClosed = true;
    this.patience.stop();
  }

  private send(): Promise<void> {
    this.isAsked = true;
    this.sending ??= inTurn(this.reading.uid, () => this.sendWhileAsked()).finally(() => {
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

  /** Nothing more of the case is sent before something was done about it. */
  get isRefused(): boolean {
    const { problem } = this.state;
    return problem !== null && FOR_GOOD.has(problem.kind);
  }

  private get isStopped(): boolean {
    return this.isHeld || this.isRefused;
  }

  /** What is to be sent now: where changes are stopped, a report that a film shows a name all the same. */
  private first(rows: readonly Waiting[]): Waiting | undefined {
    return this.isStopped ? rows.find(({ change }) => change.kind === "report_name") : rows[0];
  }

  private async sendAll(): Promise<void> {
    while (!this.isClosed && (!this.isStopped || this.isReporting)) {
      // Asked before the look: what is put meanwhile, and the signature after it, is not among these rows.
      const isAllThere = this.kept.arriving.length === 0;
      const [report, signature] = isAllThere ? [this.namedFilm, this.signature] : [null, null];
      const rows = await this.kept.rows();
      const numWaiting = this.kept.count(rows);
      const row = this.first(rows);
      // Another window sent the report or the signature meanwhile; its id gets the same answer again.
      const next = row?.change ?? report ?? (this.isStopped ? null : signature);
      if (next === null && numWaiting === 0) return this.settle();
      this.set({ numWaiting });
      if (next === null || this.isClosed) return;
      const answer = await this.around.send(this.reading.uid, this.kept.aged(next));
      if (answer.kind !== "done") {
        await this.stopAt(next, answer);
        if (this.isStopped && this.isReporting && next.kind !== "report_name") continue;
        return;
      }
      if (row) await this.kept.remove(row);
      this.patience.renew();
      // More may have come while this one was on its way.
      this.confirm(answer.body, this.kept.count(await this.kept.rows()));
    }
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
    if (confirmed.kind === "reported") {
      this.namedFilm = null;
      this.set({ numWaiting });
      return this.listener.reported(confirmed.body);
    }
    if (confirmed.kind === "changed") {
      this.confirmedAt = later(this.confirmedAt, confirmed.body.saved_at);
      return this.set({ numWaiting, savedAt: this.confirmedAt, problem: null });
    }
    this.signature = null;
    this.set({ numWaiting, savedAt: confirmed.body.signed_at, problem: null });
    this.listener.signed(confirmed.body);
  }

  private async stopAt(sent: Sent, answer: Exclude<Answer<never>, { kind: "done" }>): Promise<void> {
    const { kind, sentence } = answer;
    if (kind !== "refused") {
      this.set({ problem: { kind, sentence } });
      await this.kept.keepAges();
      return this.tryLater();
    }
    const problem = problemOf(sent, sentence, answer.body);
    const isSigning = this.signature !== null;
    if (isSigning) await this.withdrawSignature();
    if (problem.kind === "over" || problem.kind === "closed") {
      this.set({ numWaiting: await this.kept.forgetWhatNobodySaid() });
    }
    this.set(sent.kind === "sign" && problem.kind === "refused" ? { problem: null } : { problem });
    if (isSigning) this.listener.notSigned(sentence);
  }

  /** It was meant for what the reader saw; what was refused is not that. */
  private async withdrawSignature(): Promise<void> {
    const numWaiting = await this.kept.forgetSignature();
    this.signature = null;
    this.set({ numWaiting });
  }

  private tryLater(): void {
    // Each change asks by itself, too.
    if (!this.isClosed) this.patience.later(() => void this.send());
  }

  private set(part: Partial<SaveState>): void {
    this.state = { ...this.state, ...part };
    this.listener.changed(this.state);
  }
}

/** The first answer to what comes twice is of the moment at which it came first. */
function later(one: string | null, other: string): string {
  return one !== null && Date.parse(one) > Date.parse(other) ? one : other;
}

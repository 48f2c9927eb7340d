/** What was said at one case and is not confirmed yet: kept in its order, so that neither a crash nor a full disk
 * loses any of it. */
import { type Change, isChange, type Sent } from "../api/reading";
import { Ages } from "./ages";
import { itemOf, seenIn } from "./items";
import { LastResort } from "./last-resort";
import { type Kept, type Outbox, outboxInMemory, type Waiting } from "./outbox";
import type { SavedReading, Surroundings } from "./save-state";

/** The page notes these by itself: with nothing else left to send, nothing that anybody said is lost without them. */
const NOTED_BY_THE_PAGE: ReadonlySet<Sent["kind"]> = new Set(["add_active_time", "open"]);

export const isSaid = ({ change }: Pick<Kept, "change">): boolean => !NOTED_BY_THE_PAGE.has(change.kind);

export class Unsent {
  private outbox: Outbox;
  private readonly lastResort: LastResort;
  /** Adding is a queue of its own: two quick keys must reach the outbox in their order. */
  private adding: Promise<void> = Promise.resolve();
  /** By item, the last change that this page knows of, its own unsent ones included. */
  private readonly seen: Map<string, string>;
  private readonly ages = new Ages();

  constructor(
    private readonly reading: SavedReading,
    private readonly around: Surroundings,
    private readonly keptChanged: () => void,
  ) {
    this.outbox = around.outbox;
    this.lastResort = new LastResort(around.storage, reading.uid);
    this.seen = seenIn(reading);
    if (!this.outbox.isLasting) this.lastResort.isOnlyPlace();
  }

  /** Whether it outlives the page. */
  get isKept(): boolean {
    return this.outbox.isLasting || this.lastResort.isWritten;
  }

  /** On its way into the outbox; where that outlives no page, until it is sent. */
  get arriving(): readonly Kept[] {
    return this.lastResort.rows;
  }

  /** Of this account alone; rows from before accounts were kept have none, and are its reading's reader's. */
  async rows(): Promise<Waiting[]> {
    const rows = await this.outbox.waiting(this.reading.uid);
    return rows.filter(({ account }) => account === undefined || account === this.around.account);
  }

  /** With those that are still on their way into the outbox. */
  count(rows: readonly Waiting[]): number {
    return new Set([...rows, ...this.arriving].map(({ change }) => change.change_id)).size;
  }

  /** A change as it is sent: which one of its item it has seen, and an id that makes a repeat harmless. */
  made(change: Change, sopInstanceUid: string): Sent {
    const item = itemOf(change);
    const seen = item === null ? {} : { seen: this.seen.get(item) ?? null };
    return { ...change, ...seen, change_id: crypto.randomUUID(), sop_instance_uid: sopInstanceUid };
  }

  /** Resolves once it is in the outbox. */
  put(sent: Sent): Promise<void> {
    const { uid: reading, case_label: caseLabel } = this.reading;
    const kept: Kept = { account: this.around.account, reading, caseLabel, change: sent };
    this.note(sent);
    this.ages.begin(sent);
    this.lastResort.put(kept);
    this.adding = this.adding.then(async () => {
      await this.outbox.add(kept).catch(() => this.addToMemory(kept));
      if (this.outbox.isLasting) this.lastResort.arrived(sent.change_id);
      else this.keptChanged();
      await this.keepAges();
    });
    return this.adding;
  }

  /** Resolves once everything that was put until now is in the outbox. */
  arrived(): Promise<void> {
    return this.adding;
  }

  /** As it is sent: with how long ago it was, where that counts. */
  aged(sent: Sent): Sent {
    return this.ages.aged(sent);
  }

  /** For a page after this one, which has another stopwatch. */
  async keepAges(): Promise<void> {
    if (!this.ages.areCounted) return;
    for (const row of await this.rows().catch(() => [])) {
      const change = this.aged(row.change);
      if (change !== row.change) await this.outbox.replace({ ...row, change }).catch(() => undefined);
    }
  }

  /** From now on this is the change of its item that the page has seen. */
  note(sent: Sent): void {
    const item = isChange(sent) ? itemOf(sent) : null;
    if (item !== null) this.seen.set(item, sent.change_id);
  }

  async remove({ sequence, change }: Waiting): Promise<void> {
    await this.outbox.remove(sequence);
    this.ages.end(change);
    this.lastResort.arrived(change.change_id);
  }

  /** The first change was made without having seen `stored`; the reader has seen it now, and stays with it. */
  async putAbove(stored: string): Promise<void> {
    const [first] = await this.rows();
    if (first && isChange(first.change)) {
      await this.outbox.replace({ ...first, change: { ...first.change, seen: stored } });
    }
  }

  async forgetItem(item: string | null): Promise<void> {
    await this.forget(({ change }) => isChange(change) && itemOf(change) === item);
  }

  /** How many are left. */
  async forgetSignature(): Promise<number> {
    return this.forget(({ change }) => change.kind === "sign");
  }

  /** All but the report that a film shows a name: that still has to arrive. How many are left. */
  async forgetAllThatWasSaid(): Promise<number> {
    return this.forget(({ change }) => change.kind !== "report_name");
  }

  /** Where nothing waits that the reader said, what the page noted by itself goes. How many are left. */
  async forgetWhatNobodySaid(): Promise<number> {
    await this.adding;
    const rows = await this.rows();
    return rows.some(isSaid) ? this.count(rows) : this.forget(() => true);
  }

  private async forget(isIt: (row: Waiting) => boolean): Promise<number> {
    const rows = await this.rows();
    for (const row of rows.filter(isIt)) await this.remove(row);
    return rows.filter((row) => !isIt(row)).length;
  }

  /** A full disk or a browser that gives its database up: go on without. */
  private async addToMemory(kept: Kept): Promise<void> {
    const rows = await this.rows().catch(() => []);
    this.outbox = outboxInMemory();
    for (const row of rows) await this.outbox.add(row);
    await this.outbox.add(kept);
  }
}

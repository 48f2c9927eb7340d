/** What is on its way into the outbox, written down at once: a page that crashes meanwhile loses nothing. Where the
 * browser keeps no database it is written down here alone, until it is sent. */
import { type Kept, type Outbox, outboxInMemory } from "./outbox";

/** Of a Storage, what is needed: it writes before it returns, also while a page goes away. */
export type InstantStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

const PREFIX = "deepmedix-on-the-way-";

export class LastResort {
  private readonly onTheWay = new Map<string, Kept>();
  private readonly key: string;
  /** Whether all of it could be written. */
  isWritten = true;

  constructor(
    private readonly storage: InstantStorage,
    reading: string,
  ) {
    this.key = PREFIX + reading;
  }

  get rows(): Kept[] {
    return [...this.onTheWay.values()];
  }

  /** There is no other place: what a page before this one wrote stays until it is sent. */
  isOnlyPlace(): void {
    for (const kept of rowsAt(this.key, this.storage)) this.onTheWay.set(kept.change.change_id, kept);
    const probe = `${this.key}-probe`;
    this.isWritten = isDone(() => this.storage.setItem(probe, probe));
    this.storage.removeItem(probe);
  }

  put(kept: Kept): void {
    this.onTheWay.set(kept.change.change_id, kept);
    this.write();
  }

  /** It is in the outbox now, or sent. */
  arrived(changeId: string): void {
    if (this.onTheWay.delete(changeId)) this.write();
  }

  private write(): void {
    this.isWritten = isDone(() => {
      if (this.onTheWay.size === 0) this.storage.removeItem(this.key);
      else this.storage.setItem(this.key, JSON.stringify(this.rows));
    });
  }
}

/** False where the storage is full, or lets nothing in. */
function isDone(write: () => void): boolean {
  try {
    write();
    return true;
  } catch {
    return false;
  }
}

/** Of every case. */
export function rowsIn(storage: InstantStorage): Kept[] {
  return keysIn(storage).flatMap((key) => rowsAt(key, storage));
}

function keysIn(storage: InstantStorage): string[] {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  return keys.filter((key) => key.startsWith(PREFIX));
}

function rowsAt(key: string, storage: InstantStorage): Kept[] {
  return JSON.parse(storage.getItem(key) ?? "[]");
}

/** Puts into the outbox what a page before this one could not. Returns the outbox to go on with: where the disk takes
 * nothing more, one in memory, with all that waits; it also stays where it is until it is sent. */
export async function rescue(storage: InstantStorage, outbox: Outbox): Promise<Outbox> {
  try {
    for (const key of keysIn(storage)) {
      for (const row of rowsAt(key, storage)) await outbox.add(row);
      if (outbox.isLasting) storage.removeItem(key);
    }
    return outbox;
  } catch {
    const inMemory = outboxInMemory();
    const rows = await outbox.all().catch(() => []);
    for (const row of [...rows, ...rowsIn(storage)]) await inMemory.add(row);
    return inMemory;
  }
}

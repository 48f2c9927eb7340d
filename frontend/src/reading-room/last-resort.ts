/** What is on its way into the outbox, written down at once: a page that crashes meanwhile loses nothing. */
import type { Kept, Outbox } from "./outbox";

/** Of a Storage, what is needed: it writes before it returns, also while a page goes away. */
export type InstantStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

const PREFIX = "deepmedix-on-the-way-";

export class LastResort {
  private readonly onTheWay = new Map<string, Kept>();
  private readonly key: string;

  constructor(
    private readonly storage: InstantStorage,
    reading: string,
  ) {
    this.key = PREFIX + reading;
  }

  get rows(): Kept[] {
    return [...this.onTheWay.values()];
  }

  put(kept: Kept): void {
    this.onTheWay.set(kept.change.change_id, kept);
    this.write();
  }

  /** It is in the outbox now. */
  arrived(changeId: string): void {
    this.onTheWay.delete(changeId);
    this.write();
  }

  private write(): void {
    try {
      if (this.onTheWay.size === 0) this.storage.removeItem(this.key);
      else this.storage.setItem(this.key, JSON.stringify(this.rows));
    } catch {
      // A full storage: the outbox itself has it in a moment.
    }
  }
}

/** Puts into the outbox what a page before this one could not. */
export async function rescue(storage: InstantStorage, outbox: Outbox): Promise<void> {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  for (const key of keys.filter((name) => name.startsWith(PREFIX))) {
    const rows: Kept[] = JSON.parse(storage.getItem(key) ?? "[]");
    for (const row of rows) await outbox.add(row);
    storage.removeItem(key);
  }
}

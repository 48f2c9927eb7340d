/** Changes that the server has not confirmed, kept in the browser so that no crash or lost session loses one. */
import type { SentChange } from "../api/reading";

export interface Waiting {
  readonly sequence: number;
  readonly reading: string;
  readonly change: SentChange;
}

export interface Outbox {
  /** Whether it outlives the page. */
  readonly isLasting: boolean;
  add(reading: string, change: SentChange): Promise<void>;
  /** In the order in which they were made. */
  waiting(reading: string): Promise<Waiting[]>;
  remove(sequence: number): Promise<void>;
}

const DATABASE = "deepmedix-review";
const STORE = "outbox";

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Rejects where the browser keeps no database, for instance in some private windows. */
export async function openOutbox(): Promise<Outbox> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    const store = opening.result.createObjectStore(STORE, { keyPath: "sequence", autoIncrement: true });
    store.createIndex("reading", "reading");
  };
  const database = await settled(opening);
  const store = (mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE);
  return {
    isLasting: true,
    async add(reading, change) {
      await settled(store("readwrite").add({ reading, change }));
    },
    async waiting(reading) {
      const rows: Waiting[] = await settled(store("readonly").index("reading").getAll(reading));
      return rows.sort((a, b) => a.sequence - b.sequence);
    },
    async remove(sequence) {
      await settled(store("readwrite").delete(sequence));
    },
  };
}

/** Where the browser keeps no database: lasts as long as the page, and the page says so. */
export function outboxInMemory(): Outbox {
  let rows: Waiting[] = [];
  let last = 0;
  return {
    isLasting: false,
    async add(reading, change) {
      last += 1;
      rows.push({ sequence: last, reading, change });
    },
    async waiting(reading) {
      return rows.filter((row) => row.reading === reading);
    },
    async remove(sequence) {
      rows = rows.filter((row) => row.sequence !== sequence);
    },
  };
}

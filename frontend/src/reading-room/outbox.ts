/** What the server has not confirmed, kept in the browser so that no crash or lost session loses any of it. */
import type { Sent } from "../api/reading";

export interface Kept {
  /** Whose it is: nothing is ever sent under another login. */
  readonly account: string;
  readonly reading: string;
  readonly caseLabel: string;
  readonly change: Sent;
}

export interface Waiting extends Kept {
  readonly sequence: number;
}

export interface Outbox {
  /** Whether it outlives the page. */
  readonly isLasting: boolean;
  /** The same change twice is kept once. */
  add(kept: Kept): Promise<void>;
  /** In the order in which they were made. */
  waiting(reading: string): Promise<Waiting[]>;
  all(): Promise<Waiting[]>;
  replace(row: Waiting): Promise<void>;
  remove(sequence: number): Promise<void>;
}

const DATABASE = "deepmedix-review";
const STORE = "outbox";
const VERSION = 2;

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function opened(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, VERSION);
  opening.onupgradeneeded = () => {
    const store = opening.result.objectStoreNames.contains(STORE)
      ? (opening.transaction as IDBTransaction).objectStore(STORE)
      : opening.result.createObjectStore(STORE, { keyPath: "sequence", autoIncrement: true });
    if (!store.indexNames.contains("reading")) store.createIndex("reading", "reading");
    store.createIndex("change", "change.change_id");
  };
  return new Promise((resolve, reject) => {
    opening.onblocked = () => reject(new Error("a window with an older version of this page is open"));
    settled(opening).then(resolve, reject);
  });
}

const inOrder = (rows: Waiting[]): Waiting[] => rows.sort((a, b) => a.sequence - b.sequence);

/** Rejects where the browser keeps no database, for instance in some private windows. */
export async function openOutbox(): Promise<Outbox> {
  const database = await opened();
  database.onversionchange = () => database.close();
  const store = (mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE);
  return {
    isLasting: true,
    async add(kept) {
      const rows = store("readwrite");
      if ((await settled(rows.index("change").count(kept.change.change_id))) > 0) return;
      await settled(rows.add(kept));
    },
    async waiting(reading) {
      return inOrder(await settled(store("readonly").index("reading").getAll(reading)));
    },
    async all() {
      return inOrder(await settled(store("readonly").getAll()));
    },
    async replace(row) {
      await settled(store("readwrite").put(row));
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
    async add(kept) {
      if (rows.some((row) => row.change.change_id === kept.change.change_id)) return;
      last += 1;
      rows.push({ ...kept, sequence: last });
    },
    async waiting(reading) {
      return rows.filter((row) => row.reading === reading);
    },
    async all() {
      return [...rows];
    },
    async replace(row) {
      rows = rows.map((old) => (old.sequence === row.sequence ? row : old));
    },
    async remove(sequence) {
      rows = rows.filter((row) => row.sequence !== sequence);
    },
  };
}

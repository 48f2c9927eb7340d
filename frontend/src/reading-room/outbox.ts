/** What the server has not confirmed, kept in the browser so that no crash or lost session loses any of it. */
import type { Sent } from "../api/reading";
import { committed, OUTBOX, openDatabase, settled } from "./browser-database";

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
  /** Resolves once it outlives the page. The same change twice is kept once. */
  add(kept: Kept): Promise<void>;
  /** In the order in which they were made. */
  waiting(reading: string): Promise<Waiting[]>;
  all(): Promise<Waiting[]>;
  /** Nothing where it was sent and removed meanwhile. */
  replace(row: Waiting): Promise<void>;
  remove(sequence: number): Promise<void>;
}

const inOrder = (rows: Waiting[]): Waiting[] => rows.sort((a, b) => a.sequence - b.sequence);

/** Rejects where the browser keeps no database. */
export async function openOutbox(): Promise<Outbox> {
  return outboxIn(await openDatabase());
}

export function outboxIn(database: IDBDatabase): Outbox {
  const store = (mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(OUTBOX, mode, { durability: "strict" }).objectStore(OUTBOX);
  return {
    isLasting: true,
    async add(kept) {
      const rows = store("readwrite");
      const added = settled(rows.index("change").count(kept.change.change_id)).then((numThere) => {
        if (numThere === 0) rows.add(kept);
      });
      await Promise.all([committed(rows.transaction), added]);
    },
    async waiting(reading) {
      return inOrder(await settled(store("readonly").index("reading").getAll(reading)));
    },
    async all() {
      return inOrder(await settled(store("readonly").getAll()));
    },
    async replace(row) {
      const rows = store("readwrite");
      const replaced = settled(rows.getKey(row.sequence)).then((key) => {
        if (key !== undefined) rows.put(row);
      });
      await Promise.all([committed(rows.transaction), replaced]);
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

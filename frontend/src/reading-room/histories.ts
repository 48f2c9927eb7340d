/** What can be taken back in each case, kept in the browser so that neither a reload nor a crash ends it. */
import { HISTORIES, openDatabase, settled } from "./browser-database";
import { type Deeds, NO_DEEDS } from "./undo";

/** Of the cases that a reader left open, the last ones: what was done in others stays, and is not taken back. */
const MOST_READINGS = 20;
/** What a page with other deeds kept is left alone. */
const FORMAT = 2;

interface Row extends Deeds {
  readonly account: string;
  readonly reading: string;
  readonly format: number;
  readonly kept_at: number;
}

/** Of one account. */
export interface Histories {
  of(reading: string): Promise<Deeds>;
  keep(reading: string, deeds: Deeds): Promise<void>;
  drop(reading: string): Promise<void>;
  /** Nobody takes back under this login what another account did. */
  dropOthers(): Promise<void>;
}

/** A database that fails ends what can be taken back with the page, and nothing else: the case goes on. */
export function historiesIn(database: IDBDatabase, account: string): Histories {
  const histories = keptIn(database, account);
  return {
    of: (reading) => histories.of(reading).catch(() => NO_DEEDS),
    keep: (reading, deeds) => histories.keep(reading, deeds).catch(() => {}),
    drop: (reading) => histories.drop(reading).catch(() => {}),
    dropOthers: () => histories.dropOthers().catch(() => {}),
  };
}

function keptIn(database: IDBDatabase, account: string): Histories {
  const store = (mode: IDBTransactionMode): IDBObjectStore =>
    database.transaction(HISTORIES, mode).objectStore(HISTORIES);
  return {
    async of(reading) {
      const row: Row | undefined = await settled(store("readonly").get([account, reading]));
      return row?.format === FORMAT ? { done: row.done, undone: row.undone } : NO_DEEDS;
    },
    async keep(reading, { done, undone }) {
      const rows = store("readwrite");
      const row: Row = { account, reading, format: FORMAT, kept_at: Date.now(), done, undone };
      await settled(rows.put(row));
      const oldestFirst = await settled(rows.index("kept_at").getAllKeys());
      for (const key of oldestFirst.slice(0, -MOST_READINGS)) await settled(rows.delete(key));
    },
    async drop(reading) {
      await settled(store("readwrite").delete([account, reading]));
    },
    async dropOthers() {
      const rows = store("readwrite");
      const keys = await settled(rows.getAllKeys());
      for (const key of keys) {
        if ((key as string[])[0] !== account) await settled(rows.delete(key));
      }
    },
  };
}

/** Where the browser keeps no database: nothing is kept, and a case begins with nothing to take back. */
export const NO_HISTORIES: Histories = {
  of: async () => NO_DEEDS,
  keep: async () => {},
  drop: async () => {},
  dropOthers: async () => {},
};

/** The reader logs out: whoever comes next on this machine finds nothing of what was done. */
export async function dropEveryHistory(): Promise<void> {
  const database = await openDatabase();
  await settled(database.transaction(HISTORIES, "readwrite").objectStore(HISTORIES).clear());
  database.close();
}

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HISTORIES, openDatabase, settled } from "../src/reading-room/browser-database";
import { dropEveryHistory, historiesIn } from "../src/reading-room/histories";
import { type Deeds, NO_DEEDS } from "../src/reading-room/undo";

const deeds = (n: number): Deeds => ({
  done: [
    {
      back: [{ kind: "add_active_time", payload: { seconds: -n } }],
      forth: [{ kind: "add_active_time", payload: { seconds: n } }],
      place: { kind: "vote", side: "a", question: "overall:" },
      onward: null,
      name: "time",
      group: null,
    },
  ],
  undone: [],
});

let database: IDBDatabase;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  database = await openDatabase();
});

describe("the histories that a browser keeps", () => {
  it("stay apart by reading and by account", async () => {
    const mine = historiesIn(database, "reader-1");
    await mine.keep("one", deeds(1));
    await mine.keep("two", deeds(2));
    await historiesIn(database, "reader-2").keep("one", deeds(3));
    expect(await mine.of("one")).toEqual(deeds(1));
    expect(await mine.of("two")).toEqual(deeds(2));
    await mine.drop("one");
    expect(await mine.of("one")).toEqual(NO_DEEDS);
    expect(await historiesIn(database, "reader-2").of("one")).toEqual(deeds(3));
  });

  it("of other accounts go when a reader begins", async () => {
    await historiesIn(database, "reader-2").keep("one", deeds(3));
    const mine = historiesIn(database, "reader-1");
    await mine.keep("one", deeds(1));
    await mine.dropOthers();
    expect(await historiesIn(database, "reader-2").of("one")).toEqual(NO_DEEDS);
    expect(await mine.of("one")).toEqual(deeds(1));
  });

  it("all go when somebody logs out", async () => {
    await historiesIn(database, "reader-1").keep("one", deeds(1));
    await dropEveryHistory();
    expect(await historiesIn(database, "reader-1").of("one")).toEqual(NO_DEEDS);
  });

  it("are kept of twenty readings, the last ones", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const mine = historiesIn(database, "reader-1");
    for (let n = 1; n <= 22; n++) {
      vi.setSystemTime(n * 1000);
      await mine.keep(`reading ${n}`, deeds(n));
    }
    vi.useRealTimers();
    expect(await mine.of("reading 2")).toEqual(NO_DEEDS);
    expect(await mine.of("reading 3")).toEqual(deeds(3));
    expect(await mine.of("reading 22")).toEqual(deeds(22));
  });

  it("of a page that kept other things are left alone", async () => {
    const store = database.transaction(HISTORIES, "readwrite").objectStore(HISTORIES);
    await settled(store.put({ account: "reader-1", reading: "one", format: 0, kept_at: 0, steps: [] }));
    expect(await historiesIn(database, "reader-1").of("one")).toEqual(NO_DEEDS);
  });

  it("end with the page where the database fails, and nothing else does", async () => {
    const mine = historiesIn(database, "reader-1");
    database.close();
    await mine.keep("one", deeds(1));
    expect(await mine.of("one")).toEqual(NO_DEEDS);
  });
});

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "../src/api/client";
import type { Change, Confirmed, Sent, Stored } from "../src/api/reading";
import { ActiveTime } from "../src/reading-room/active-time";
import { OUTBOX, openDatabase } from "../src/reading-room/browser-database";
import { itemOf, seenIn } from "../src/reading-room/items";
import { type InstantStorage, rescue } from "../src/reading-room/last-resort";
import { type Outbox, openOutbox, outboxIn, outboxInMemory } from "../src/reading-room/outbox";
import type { SaveState } from "../src/reading-room/save-state";
import { Saver } from "../src/reading-room/saver";

const vote = (side: "a" | "tie" | "b"): Change => ({ kind: "cast_vote", payload: { kind: "overall", side } });
const FILM = "2.25.1";
const READING = { uid: "reading-1", case_label: "S-1", saved_at: null, latest_changes: [] };

/** A server that answers as told, and notes what it was sent. */
class FakeServer {
  readonly got: Sent[] = [];
  next: Answer<Confirmed>["kind"] = "done";
  isLocked = false;
  /** What another window said of the same item. */
  stored: Stored | null = null;

  send = async (_reading: string, sent: Sent): Promise<Answer<Confirmed>> => {
    const { stored } = this;
    if (stored && "seen" in sent && sent.seen !== stored.change_id) {
      return { kind: "refused", sentence: "it was changed", body: { stored } };
    }
    if (this.isLocked) return { kind: "refused", sentence: "It is locked.", body: { is_over: true } };
    if (this.next !== "done") return { kind: this.next, sentence: `it is ${this.next}` };
    this.got.push(sent);
    this.stored = null;
    if (sent.kind === "open") return { kind: "done", body: { kind: "opened" } };
    if (sent.kind === "report_name") {
      const body = {
        reported_at: "2026-11-23T10:44:00Z",
        closes_case: true,
        next: "/readings/2/",
        ending: null,
      };
      return { kind: "done", body: { kind: "reported", body } };
    }
    if (sent.kind === "sign") {
      const body = { signed_at: "2026-11-23T10:43:00Z", next: "/readings/2/", ending: null };
      return { kind: "done", body: { kind: "signed", body } };
    }
    const body = { change_id: sent.change_id, saved_at: "2026-11-23T10:42:07Z", missing: [] };
    return { kind: "done", body: { kind: "changed", body } };
  };

  get sides(): unknown[] {
    return this.got.map((sent) => (sent.kind === "cast_vote" ? sent.payload.side : sent.kind));
  }
}

const kept = new Map<string, string>();
const storage: InstantStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  key: (index) => [...kept.keys()][index] ?? null,
  get length() {
    return kept.size;
  },
};

/** Holds back who waits at it until it is opened. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

async function saverWith(server: FakeServer, given?: Outbox) {
  const states: SaveState[] = [];
  const said: string[] = [];
  const outbox = given ?? (await openOutbox());
  const saver = new Saver(
    READING,
    { account: "reader-1", outbox, storage, send: server.send },
    {
      changed: (state) => void states.push(state),
      signed: ({ next }) => void said.push(`signed, then ${next}`),
      notSigned: (sentence) => void said.push(`not signed: ${sentence}`),
      reported: ({ next }) => void said.push(`reported, then ${next}`),
    },
  );
  return { saver, states, said, outbox };
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => void vi.useRealTimers());

describe("saving", () => {
  it("sends every change once, in the order in which they were made", async () => {
    const server = new FakeServer();
    const { saver } = await saverWith(server);
    for (const side of ["a", "b", "tie", "a"] as const) saver.save(vote(side), FILM);
    await saver.flush();
    expect(server.sides).toEqual(["a", "b", "tie", "a"]);
    expect(new Set(server.got.map((change) => change.change_id)).size).toBe(4);
    expect(saver.state).toMatchObject({ numWaiting: 0, savedAt: "2026-11-23T10:42:07Z", problem: null });
  });

  it("is never said to be done while a change waits that came during another", async () => {
    const server = new FakeServer();
    const outbox = await openOutbox();
    const around: { saver?: Saver } = {};
    const send = server.send;
    server.send = async (reading, sent) => {
      const { saver } = around;
      if (saver && server.got.length === 0) {
        saver.save(vote("b"), FILM);
        while ((await outbox.all()).length < 2);
      }
      return send(reading, sent);
    };
    const { saver, states } = await saverWith(server, outbox);
    around.saver = saver;
    saver.save(vote("a"), FILM);
    await saver.flush();
    const saved = states.filter(({ savedAt }) => savedAt !== null).map(({ numWaiting }) => numWaiting);
    expect(saved[0]).toBe(1);
    expect(saved.at(-1)).toBe(0);
    expect(server.sides).toEqual(["a", "b"]);
  });

  it("keeps what the server did not get, across a crash of the page", async () => {
    const server = new FakeServer();
    server.next = "unreachable";
    const { saver } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);
    await saver.flush();
    expect(saver.state).toMatchObject({ numWaiting: 2, problem: { kind: "unreachable" } });
    saver.close();

    server.next = "done";
    const { saver: after } = await saverWith(server);
    expect(await after.unsent()).toMatchObject([vote("a"), vote("b")]);
    await after.flush();
    expect(server.sides).toEqual(["a", "b"]);
    expect(await after.unsent()).toEqual([]);
  });

  it("keeps also what did not reach the browser's database before the page crashed", async () => {
    const server = new FakeServer();
    const never: Outbox = { ...outboxInMemory(), add: () => new Promise(() => {}) };
    const { saver } = await saverWith(server, never);
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);

    const { saver: after, outbox } = await saverWith(server);
    await rescue(storage, outbox);
    expect(await after.unsent()).toMatchObject([vote("a"), vote("b")]);
    await after.flush();
    expect(server.sides).toEqual(["a", "b"]);
    expect(kept.size).toBe(0);
  });

  it("goes on without the browser's database where that is full, and says so", async () => {
    const server = new FakeServer();
    const full: Outbox = { ...(await openOutbox()), add: async () => Promise.reject(new Error("full")) };
    const { saver } = await saverWith(server, full);
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);
    await saver.flush();
    expect(server.sides).toEqual(["a", "b"]);
    expect(saver.state).toMatchObject({ numWaiting: 0, isKept: false });
  });

  it("does not take a change for kept that the browser gives up at the commit, and says so", async () => {
    const database = await openDatabase();
    vi.spyOn(database, "transaction").mockImplementationOnce((...given) => {
      const transaction = IDBDatabase.prototype.transaction.apply(database, given);
      const add = transaction.objectStore(OUTBOX).add;
      const store = Object.assign(transaction.objectStore(OUTBOX), {
        add(value: unknown) {
          const adding = add.call(store, value);
          adding.addEventListener("success", () => transaction.abort());
          return adding;
        },
      });
      return transaction;
    });
    const server = new FakeServer();
    const { saver } = await saverWith(server, outboxIn(database));

    saver.save(vote("a"), FILM);
    await saver.flush();

    expect(saver.state).toMatchObject({ numWaiting: 0, isKept: false });
    expect(server.sides).toEqual(["a"]);
  });

  it("tries again by itself", async () => {
    const server = new FakeServer();
    server.next = "unreachable";
    const { saver } = await saverWith(server);
    saver.save(vote("a"), FILM);
    await saver.flush();
    server.next = "done";
    await vi.advanceTimersByTimeAsync(1_000);
    await saver.flush();
    expect(server.sides).toEqual(["a"]);
  });

  it("loses nothing to an expired session", async () => {
    const server = new FakeServer();
    server.next = "locked-out";
    const { saver } = await saverWith(server);
    saver.save(vote("a"), FILM);
    await saver.flush();
    expect(saver.state).toMatchObject({ numWaiting: 1, problem: { kind: "locked-out" } });
    server.next = "done";
    await saver.flush();
    expect(saver.state).toMatchObject({ numWaiting: 0, problem: null });
  });

  it("stops at a refusal until the reader has seen it, then sends the rest", async () => {
    const server = new FakeServer();
    server.next = "refused";
    const { saver } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);
    await saver.flush();
    expect(saver.state.problem).toEqual({ kind: "refused", sentence: "it is refused" });
    server.next = "done";
    await saver.flush();
    expect(server.sides).toEqual([]);
    await saver.dropRefused();
    expect(server.sides).toEqual(["b"]);
  });

  it("keeps readings apart, and what another account did in this browser", async () => {
    const outbox = await openOutbox();
    const change: Sent = { ...vote("a"), change_id: "1", sop_instance_uid: FILM };
    const row = { account: "reader-1", reading: "reading-1", caseLabel: "S-1", change };
    await outbox.add(row);
    await outbox.add(row);
    await outbox.add({ ...row, reading: "reading-2", change: { ...change, change_id: "2" } });
    await outbox.add({ ...row, account: "reader-2", change: { ...change, change_id: "3" } });
    expect(await outbox.waiting("reading-2")).toHaveLength(1);
    const server = new FakeServer();
    const { saver } = await saverWith(server, outbox);
    expect(await saver.unsent()).toHaveLength(1);
    await saver.flush();
    expect(server.got.map((sent) => sent.change_id)).toEqual(["1"]);
    expect(await outbox.all()).toHaveLength(2);
  });
});

describe("a signature", () => {
  it("goes after all that was said before it, and is told", async () => {
    const server = new FakeServer();
    const { saver, said } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.sign(FILM);
    saver.sign(FILM);
    await saver.flush();
    expect(server.sides).toEqual(["a", "sign"]);
    expect(said).toEqual(["signed, then /readings/2/"]);
  });

  it("does not overtake what was said just before it and is still on its way into the browser's database", async () => {
    const server = new FakeServer();
    const lasting = await openOutbox();
    const [answer, written] = [gate(), gate()];
    const send = server.send;
    server.send = async (reading, sent) => {
      if (server.got.length === 0) await answer.opened;
      const isSigned = server.got.some(({ kind }) => kind === "sign");
      if (isSigned) return { kind: "refused", sentence: "This reading is signed and locked." };
      return send(reading, sent);
    };
    const slow: Outbox = {
      ...lasting,
      add: async (kept) => {
        if (kept.change.kind === "add_active_time") await written.opened;
        await lasting.add(kept);
      },
    };
    const { saver, said } = await saverWith(server, slow);
    saver.save(vote("a"), FILM);
    await vi.waitFor(async () => expect(await lasting.all()).toHaveLength(1));
    saver.save({ kind: "add_active_time", payload: { seconds: 3 } }, FILM);
    saver.sign(FILM);
    answer.open();
    await vi.waitFor(async () => expect(await lasting.all()).toHaveLength(0));
    written.open();
    await saver.flush();
    expect(server.sides).toEqual(["a", "add_active_time", "sign"]);
    expect(saver.state.problem).toBeNull();
    expect(said).toEqual(["signed, then /readings/2/"]);
  });

  it("survives a crash like every change", async () => {
    const server = new FakeServer();
    server.next = "unreachable";
    const { saver } = await saverWith(server);
    saver.sign(FILM);
    await saver.flush();
    saver.close();
    server.next = "done";
    const { saver: after, said } = await saverWith(server);
    await after.unsent();
    expect(after.isSigning).toBe(true);
    await after.flush();
    expect(said).toHaveLength(1);
  });

  it("is not given where what came before it was refused", async () => {
    const server = new FakeServer();
    server.next = "refused";
    const { saver, said } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.sign(FILM);
    await saver.flush();
    expect(said).toEqual(["not signed: it is refused"]);
    server.next = "done";
    await saver.dropRefused();
    expect(server.got).toEqual([]);
    saver.sign(FILM);
    await saver.flush();
    expect(server.sides).toEqual(["sign"]);
  });

  it("that is refused itself is told and forgotten", async () => {
    const server = new FakeServer();
    server.next = "refused";
    const { saver, said } = await saverWith(server);
    saver.sign(FILM);
    await saver.flush();
    expect(said).toEqual(["not signed: it is refused"]);
    expect(saver.state).toMatchObject({ numWaiting: 0, problem: null });
  });

  it("that another window sent is asked about once more", async () => {
    const server = new FakeServer();
    const { saver, said, outbox } = await saverWith(server);
    saver.hold();
    saver.sign(FILM);
    await saver.flush();
    for (const row of await outbox.all()) await outbox.remove(row.sequence);
    saver.release();
    await saver.flush();
    expect(server.sides).toEqual(["sign"]);
    expect(said).toHaveLength(1);
  });
});

describe("a report that a film shows a name", () => {
  it("goes after what was said before it, and is told", async () => {
    const server = new FakeServer();
    const { saver, said } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.report("film-1");
    saver.report("film-1");
    expect(saver.isReporting).toBe(true);
    await saver.flush();
    expect(server.sides).toEqual(["a", "report_name"]);
    expect(said).toEqual(["reported, then /readings/2/"]);
    expect(saver.isReporting).toBe(false);
  });

  it("waits neither for a change that the server refuses nor for the case before", async () => {
    const server = new FakeServer();
    const send = server.send;
    server.send = async (reading, sent) =>
      sent.kind === "cast_vote" ? { kind: "refused", sentence: "it is refused" } : send(reading, sent);
    const { saver, said } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.report("film-1");
    await saver.flush();
    expect(server.sides).toEqual(["report_name"]);
    expect(said).toHaveLength(1);

    const ahead = await saverWith(server, outboxInMemory());
    ahead.saver.hold();
    ahead.saver.save({ kind: "add_active_time", payload: { seconds: 1 } }, FILM);
    ahead.saver.report("film-1");
    await ahead.saver.flush();
    expect(server.sides).toEqual(["report_name", "report_name"]);
  });

  it("is kept while the server cannot be reached, across a crash, and is known to be under way", async () => {
    const server = new FakeServer();
    server.next = "unreachable";
    const { saver } = await saverWith(server);
    saver.report("film-1");
    await saver.flush();
    expect(saver.state).toMatchObject({ numWaiting: 1, problem: { kind: "unreachable" } });
    saver.close();
    server.next = "done";
    const { saver: after, said } = await saverWith(server);
    await after.unsent();
    expect(after.isReporting).toBe(true);
    await after.flush();
    expect(said).toHaveLength(1);
  });

  it("is answered also where another window has sent it", async () => {
    const server = new FakeServer();
    const { saver, said, outbox } = await saverWith(server);
    server.next = "unreachable";
    saver.report("film-1");
    await saver.flush();
    for (const row of await outbox.all()) await outbox.remove(row.sequence);
    server.next = "done";
    await saver.flush();
    expect(said).toHaveLength(1);
  });

  it("keeps what is refused because the case is out of use", async () => {
    const server = new FakeServer();
    const send = server.send;
    server.send = async () => ({ kind: "refused", sentence: "Out of use.", body: { is_out_of_use: true } });
    const { saver, said, outbox } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.sign(FILM);
    await saver.flush();
    expect(saver.state.problem).toEqual({ kind: "out-of-use", sentence: "Out of use." });
    expect((await outbox.all()).map(({ change }) => change.kind)).toEqual(["cast_vote"]);
    expect(said).toEqual(["not signed: Out of use."]);
    server.send = send;
  });
});

describe("a case shown before the one left is confirmed", () => {
  it("sends nothing until it is said to be the next", async () => {
    const server = new FakeServer();
    const { saver } = await saverWith(server);
    saver.hold();
    saver.opened();
    saver.save(vote("a"), FILM);
    await saver.flush();
    expect(server.got).toEqual([]);
    saver.release();
    await saver.flush();
    expect(server.sides).toEqual(["open", "a"]);
  });
});

describe("two windows on one item", () => {
  it("names the item as the server does", () => {
    const asked = { criterion: "c", completion: null, step: "s", region: null, value: 3 };
    expect(itemOf({ kind: "rate_criterion", payload: asked })).toBe("rate_criterion c:s");
    expect(itemOf({ kind: "add_active_time", payload: { seconds: 3 } })).toBeNull();
    const latest_changes = [{ kind: "rate_criterion", item: "c:s", change_id: "theirs" }];
    expect(seenIn({ latest_changes }).get("rate_criterion c:s")).toBe("theirs");
  });

  const stored: Stored = {
    change_id: "theirs",
    kind: "cast_vote",
    payload: { side: "tie" },
    received_at: "2026-11-23T10:40:00Z",
  };

  it("each change says which one it has seen, one's own included", async () => {
    const server = new FakeServer();
    const { saver } = await saverWith(server);
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);
    saver.save({ kind: "add_active_time", payload: { seconds: 1 } }, FILM);
    await saver.flush();
    const [first, second, time] = server.got;
    expect(first).toMatchObject({ seen: null });
    expect(second).toMatchObject({ seen: first?.change_id });
    expect(time).not.toHaveProperty("seen");
  });

  it("stops and shows both versions until the reader has chosen", async () => {
    for (const [version, sides] of [
      ["mine", ["a", "b"]],
      ["stored", []],
    ] as const) {
      const server = new FakeServer();
      server.stored = stored;
      const { saver } = await saverWith(server, outboxInMemory());
      saver.save(vote("a"), FILM);
      await saver.flush();
      expect(saver.state.problem).toMatchObject({ kind: "conflict", stored, mine: vote("a") });
      saver.save(vote("b"), FILM);
      await saver.flush();
      expect(server.got).toEqual([]);
      await saver.choose(version);
      expect(server.sides).toEqual(sides);
      expect(saver.state).toMatchObject({ problem: null, numWaiting: 0 });
    }
  });
});

describe("active time", () => {
  it("leaves out what is longer than a minute without a sign of life", () => {
    const time = new ActiveTime(0);
    time.sign(30_000);
    time.sign(40_000);
    time.sign(3_640_000);
    expect(time.pendingSeconds).toBe(100);
  });

  it("is reported in whole seconds, each once", () => {
    const time = new ActiveTime(0);
    time.sign(19_000);
    expect(time.take()).toBe(0);
    time.sign(21_500);
    expect(time.take()).toBe(21);
    expect(time.take({ atLeast: 1 })).toBe(0);
    time.sign(22_100);
    expect(time.take({ atLeast: 1 })).toBe(1);
  });
});

it("of a locked study nothing waits for ever: all of it is let go at once", async () => {
  const server = new FakeServer();
  server.isLocked = true;
  const { saver, outbox } = await saverWith(server);
  for (const side of ["a", "b", "tie"] as const) saver.save(vote(side), FILM);
  await saver.flush();
  expect(saver.state).toMatchObject({ problem: { kind: "over", sentence: "It is locked." }, numWaiting: 3 });
  await saver.dropRefused();
  expect(saver.state).toMatchObject({ problem: null, numWaiting: 0 });
  expect(await outbox.waiting("reading-1")).toEqual([]);
});

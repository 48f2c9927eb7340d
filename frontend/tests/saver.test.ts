import { describe, expect, it, vi } from "vitest";
import type { Sent } from "../src/api/reading";
import { OUTBOX, openDatabase } from "../src/reading-room/browser-database";
import { rescue } from "../src/reading-room/last-resort";
import { type Outbox, openOutbox, outboxIn, outboxInMemory } from "../src/reading-room/outbox";
import { wouldBeLost } from "../src/reading-room/save-state";
import type { Saver } from "../src/reading-room/saver";

import { eachTestAfresh, FakeServer, FILM, kept, saverWith, storage, vote } from "./saving";

eachTestAfresh();

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

  it.each(["full", "denied"])("loses nothing to a crash where the browser's database is %s", async (how) => {
    const server = new FakeServer();
    server.next = "unreachable";
    const full: Outbox = { ...(await openOutbox()), add: async () => Promise.reject(new Error("full")) };
    const here = (): Outbox => (how === "full" ? full : outboxInMemory());
    const { saver } = await saverWith(server, here());
    saver.save(vote("a"), FILM);
    saver.save(vote("b"), FILM);
    await saver.flush();
    expect(saver.state).toMatchObject({ numWaiting: 2, isKept: true });
    saver.close();

    for (const next of ["unreachable", "done"] as const) {
      server.next = next;
      const { saver: after } = await saverWith(server, await rescue(storage, here()));
      expect(await after.unsent()).toMatchObject([vote("a"), vote("b")]);
      await after.flush();
      after.close();
    }
    expect(server.sides).toEqual(["a", "b"]);
    expect(kept.size).toBe(0);
  });

  it("says so where the browser keeps nothing at all, until nothing waits any more", async () => {
    const server = new FakeServer();
    server.next = "unreachable";
    vi.spyOn(storage, "setItem").mockImplementation(() => {
      throw new Error("full");
    });
    const { saver } = await saverWith(server, outboxInMemory());
    expect(saver.state.isKept).toBe(false);
    saver.save(vote("a"), FILM);
    await saver.flush();
    expect(wouldBeLost(saver.state)).toBe(true);
    vi.restoreAllMocks();
    server.next = "done";
    await saver.flush();
    expect(wouldBeLost(saver.state)).toBe(false);
    expect(server.sides).toEqual(["a"]);
  });

  it("does not take a change for kept that the browser gives up at the commit", async () => {
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

    expect(await openOutbox().then((outbox) => outbox.all())).toEqual([]);
    expect(saver.state).toMatchObject({ numWaiting: 0, isKept: true });
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

it("rests when what is on its way has its answer, and sends nothing that comes after", async () => {
  const server = new FakeServer();
  const outbox = await openOutbox();
  const around: { saver?: Saver } = {};
  const order: string[] = [];
  const send = server.send;
  server.send = async (reading, sent) => {
    if (order.length === 0) {
      order.push("on its way");
      void around.saver?.rest().then(() => order.push("rested"));
      around.saver?.save(vote("b"), FILM);
      while ((await outbox.all()).length < 2);
    }
    const answer = await send(reading, sent);
    order.push("answered");
    return answer;
  };
  const { saver } = await saverWith(server, outbox);
  around.saver = saver;
  saver.save(vote("a"), FILM);
  await saver.flush();
  await vi.waitFor(() => expect(order).toEqual(["on its way", "answered", "rested"]));
  expect(server.sides).toEqual(["a"]);
  saver.release();
  await saver.flush();
  expect(server.sides).toEqual(["a", "b"]);
});

it("tells the latest moment of saving, also where an answer comes again that is of an earlier one", async () => {
  const server = new FakeServer();
  const { saver } = await saverWith(server);
  saver.save(vote("a"), FILM);
  await saver.flush();
  server.savedAt = "2026-11-23T10:41:00Z";
  saver.save(vote("b"), FILM);
  await saver.flush();
  expect(saver.state.savedAt).toBe("2026-11-23T10:42:07Z");
  server.savedAt = "2026-11-23T10:42:08Z";
  saver.save(vote("a"), FILM);
  await saver.flush();
  expect(saver.state.savedAt).toBe("2026-11-23T10:42:08Z");
});

it("of a locked study the time at work alone is no loss, and goes without a word", async () => {
  const server = new FakeServer();
  server.isLocked = true;
  const { saver, outbox } = await saverWith(server);
  saver.opened();
  saver.save({ kind: "add_active_time", payload: { seconds: 9 } }, FILM);
  await saver.flush();
  expect(saver.state).toMatchObject({ problem: { kind: "over" }, numWaiting: 0 });
  expect(await outbox.waiting("reading-1")).toEqual([]);
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

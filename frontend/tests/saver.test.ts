import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "../src/api/client";
import type { Change, Saved, SentChange } from "../src/api/reading";
import { ActiveTime } from "../src/reading-room/active-time";
import { type Outbox, openOutbox } from "../src/reading-room/outbox";
import { type LastResort, Saver, type SaveState } from "../src/reading-room/saver";

const vote = (side: "a" | "tie" | "b"): Change => ({ kind: "cast_vote", payload: { side } });
const FILM = "2.25.1";

/** A server that answers as told, and notes what it was sent. */
class FakeServer {
  readonly got: SentChange[] = [];
  next: Answer<Saved>["kind"] = "done";

  post = async (change: SentChange): Promise<Answer<Saved>> => {
    if (this.next !== "done") return { kind: this.next, sentence: `it is ${this.next}` };
    this.got.push(change);
    const body = { change_id: change.change_id, saved_at: "2026-11-23T10:42:07Z", missing: [] };
    return { kind: "done", body };
  };

  get sides(): unknown[] {
    return this.got.map((change) => (change.kind === "cast_vote" ? change.payload.side : change.kind));
  }
}

const kept = new Map<string, string>();
const storage: LastResort = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
};

async function saverWith(server: FakeServer, outbox?: Outbox) {
  const states: SaveState[] = [];
  const tell = (state: SaveState) => void states.push(state);
  const saver = new Saver("reading-1", outbox ?? (await openOutbox()), storage, server.post, tell, null);
  return { saver, states };
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

  it("keeps also what did not reach the browser's database before the page was gone", async () => {
    const server = new FakeServer();
    const never: Outbox = {
      isLasting: true,
      add: () => new Promise(() => {}),
      waiting: async () => [],
      remove: async () => {},
    };
    const { saver } = await saverWith(server, never);
    saver.save(vote("a"), FILM);
    saver.leave();
    const { saver: after } = await saverWith(server);
    expect(await after.unsent()).toMatchObject([vote("a")]);
    await after.flush();
    expect(server.sides).toEqual(["a"]);
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

  it("keeps the readings of one browser apart", async () => {
    const outbox = await openOutbox();
    const change: SentChange = { ...vote("a"), change_id: "1", sop_instance_uid: FILM };
    await outbox.add("reading-1", change);
    await outbox.add("reading-2", change);
    expect(await outbox.waiting("reading-2")).toHaveLength(1);
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

import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Reading } from "../src/api/reading";
import { openDatabase } from "../src/reading-room/browser-database";
import { historiesIn } from "../src/reading-room/histories";
import { otherWork } from "../src/reading-room/onward";
import { Session } from "../src/reading-room/session";
import type { SessionState } from "../src/reading-room/session-state";
import { NO_DEEDS } from "../src/reading-room/undo";
import type { Windows } from "../src/reading-room/windows";
import type { Film, FilmView } from "../src/viewer/film";
import type { FilmPair } from "../src/viewer/pair";
import { FakeView, reading } from "./scene";

const uidOf = (position: number): string => `00000000-0000-4000-8000-00000000000${position}`;
const pageOf = (position: number): string => `/readings/${uidOf(position)}/`;
const NUM_CASES = 4;

/** Case `position` of four, complete but for its signature. */
function caseAt(position: number): Reading {
  const { instance } = reading();
  return reading({
    numSides: 1,
    numSteps: 0,
    part: {
      uid: uidOf(position),
      position,
      instance: { ...instance, sop_instance_uid: `2.25.${position}` },
      criteria: [],
      next: position < NUM_CASES ? pageOf(position + 1) : null,
    },
  });
}

class Viewport extends FakeView {
  override async showImage(film: Film) {
    this.answer = async () => film.sopInstanceUid;
    return super.showImage(film);
  }
}

class Pair implements FilmPair {
  private views = [new Viewport(), new Viewport()] as [Viewport, Viewport];
  front = () => this.views[0];
  behind = () => this.views[1];
  bringToFront(view: FilmView) {
    if (view === this.views[1]) this.views.reverse();
  }
  onMade(listener: (view: FilmView) => void) {
    this.views.forEach(listener);
  }
  clear() {
    for (const view of this.views) view.clear();
  }
  dispose() {}
}

/** What the server was asked, in order; `next` may differ from what a reading said. */
class Server {
  readonly asked: string[] = [];
  next = new Map<string, string | null>();
  held: Promise<void> | null = null;
  /** What it says beside its sentence to whoever changes something; null where it keeps it. */
  refusal: object | null = null;
  /** Each case is an amendment of what was signed then. */
  amends: string | null = null;
  /** Of every case that is not signed. */
  pause: Reading["pause"] = null;
  /** What it says beside its sentence in place of a case; null where it shows it. */
  keepsBack: object | null = null;

  fetch = async (address: string, init: RequestInit = {}): Promise<Response> => {
    this.asked.push(`${init.method ?? "GET"} ${address}`);
    const position = Number(/(\d)\/(?:$|\?|\w)/.exec(address.replace("/api/readings/", ""))?.[1]);
    if (address.endsWith("/sign/")) {
      await this.held;
      const { uid, next } = caseAt(position);
      const ending = next === null ? { sentence: "You have read all.", may_take: false } : null;
      return Response.json({ signed_at: "2026-11-24T10:00:00Z", next: this.next.get(uid) ?? next, ending });
    }
    if (address.endsWith("/discard/")) return Response.json({ amends: uidOf(9) });
    if (address.endsWith("/open/")) return Response.json({ opened_at: "2026-11-24T10:00:00Z" });
    if (address.endsWith("/changes/") && this.refusal)
      return Response.json({ detail: "The server says why.", ...this.refusal }, { status: 409 });
    if (address.endsWith("/changes/"))
      return Response.json({ ...said(init), saved_at: "2026-11-24T10:00:00Z", missing: [] });
    if (this.keepsBack)
      return Response.json({ detail: "The server says why.", ...this.keepsBack }, { status: 409 });
    const next = this.pause === null ? caseAt(position).next : null;
    return Response.json({ ...caseAt(position), next, pause: this.pause, amends_signed_at: this.amends });
  };
}

/** With each answer to a change goes the change's id. */
function said({ body }: RequestInit): { change_id: string } {
  return { change_id: JSON.parse(String(body)).change_id };
}

/** No other window is open. */
const ALONE: Windows = {
  isAttended: () => true,
  claim: () => {},
  onClaimedElsewhere: () => {},
  close: () => {},
};

let server: Server;

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  performance.clearMarks();
  server = new Server();
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    key: () => null,
    length: 0,
  });
  vi.stubGlobal("history", { pushState: () => {}, replaceState: () => {} });
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", server.fetch);
});
afterEach(() => void vi.unstubAllGlobals());

async function sitDown() {
  const views = new Pair();
  const states: SessionState[] = [];
  const session = new Session(views, "reader-1", (state) => void states.push(state), ALONE);
  await session.start(uidOf(1));
  const shown = () => (session.state.stage.kind === "open" ? session.state.stage.state : null);
  const isReady = (position: number) =>
    vi.waitFor(() => {
      const ready = performance
        .getEntriesByName("next-case-ready")
        .map((mark) => (mark as PerformanceMark).detail);
      expect(ready).toContain(uidOf(position));
    });
  return { session, views, shown, isReady };
}

it("goes from case to case with two films alive at most, each opened when it is shown", async () => {
  const { session, views, shown, isReady } = await sitDown();
  for (let position = 2; position <= NUM_CASES; position += 1) {
    await isReady(position);
    expect(server.asked).not.toContain(`POST /api/readings/${uidOf(position)}/open/`);
    await session.sign();
    expect(shown()?.reading.position).toBe(position);
    expect(views.front().onScreen).toBe(`2.25.${position}`);
    await vi.waitFor(() => expect(server.asked).toContain(`POST /api/readings/${uidOf(position)}/open/`));
  }
  await session.sign();
  await vi.waitFor(() => expect(session.state.stage.kind).toBe("finished"));
  expect(session.state.stage).toMatchObject({ ending: { sentence: "You have read all." } });
  expect([views.front().onScreen, views.behind().onScreen]).toEqual([null, null]);
  expect(server.asked.filter((asked) => asked.endsWith("/sign/"))).toHaveLength(NUM_CASES);
});

it("tells a pause no longer once its study goes on, as is asked with a save and when the window is back", async () => {
  vi.stubGlobal("document", { cookie: "", querySelector: () => null });
  server.pause = { since: null, comfort: "Nothing that you said is lost." };
  const now = vi.spyOn(performance, "now").mockReturnValue(60_000);
  const { session, shown, isReady } = await sitDown();
  const numAsked = () => server.asked.filter((asked) => asked === `GET /api/readings/${uidOf(1)}/`).length;
  expect(shown()?.reading.pause).not.toBeNull();
  changeTwice(session);
  await vi.waitFor(() => expect(numAsked()).toBe(2));
  expect(shown()?.reading.pause).not.toBeNull();
  server.pause = null;
  now.mockReturnValue(75_000);
  session.turnBack();
  await vi.waitFor(() => expect(shown()?.reading.pause).toBeNull());
  now.mockRestore();
  await isReady(2);
  session.turnBack();
  changeTwice(session);
  await vi.waitFor(() =>
    expect(session.state.stage).toMatchObject({ kind: "open", save: { numWaiting: 0 } }),
  );
  expect(numAsked()).toBe(3);
});

it("says of an amendment that it is signed and what it replaces, before the next case and after the last", async () => {
  server.amends = "2026-11-12T09:00:00Z";
  const said =
    /^Your amendment of S-1 is signed\. It counts in place of your reading that was signed on 12 Nov 2026, /;
  const { session, isReady } = await sitDown();
  await isReady(2);
  await session.sign();
  await vi.waitFor(() => expect(session.state.notice).toMatch(said));
  expect(session.state.stage.kind).toBe("open");
  await session.open(uidOf(NUM_CASES), `/api/readings/${uidOf(NUM_CASES)}/`);
  await session.sign();
  await vi.waitFor(() => expect(session.state.stage.kind).toBe("finished"));
  expect(session.state.stage).toMatchObject({ amended: expect.stringMatching(said) });
});

it("blanks the next case where its viewport holds another film at the moment of the swap", async () => {
  const { session, views, shown, isReady } = await sitDown();
  await isReady(2);
  views.behind().onScreen = "2.25.99";
  await session.sign();
  expect(shown()?.reading.position).toBe(2);
  expect(shown()?.film).toMatchObject({ kind: "wrong" });
  expect(views.front().marks).toEqual([]);
});

it("shows the case that the server names where it is another than the one made ready", async () => {
  server.next.set(uidOf(1), pageOf(3));
  const { session, shown, isReady } = await sitDown();
  await isReady(2);
  await session.sign();
  await vi.waitFor(() => expect(shown()?.reading.position).toBe(3));
  await vi.waitFor(() => expect(session.state.notice).toContain("kept in this browser"));
  expect(server.asked).not.toContain(`POST /api/readings/${uidOf(2)}/open/`);
  expect(server.asked).toContain(`POST /api/readings/${uidOf(3)}/open/`);
});

it("takes no more answers once the server says that the reader study is locked", async () => {
  server.refusal = { is_over: true };
  const { session, shown } = await sitDown();
  const room = session.state.stage.kind === "open" ? session.state.stage.room : null;
  expect(room?.canRate).toBe(true);
  room?.change({ kind: "set_window", payload: { center: 9, width: 9, inverted: false, look: null } });
  await vi.waitFor(() => expect(room?.canRate).toBe(false));
  const before = shown()?.reading;
  room?.change({ kind: "set_window", payload: { center: 5, width: 5, inverted: false, look: null } });
  expect(shown()?.reading).toBe(before);
});

/** Two changes of what is on the screen, each to be kept by the server. */
function changeTwice(session: Session): void {
  if (session.state.stage.kind !== "open") throw new Error("no case is open");
  const { room } = session.state.stage;
  for (const width of [5, 9]) {
    room.change({ kind: "set_window", payload: { center: 9, width, inverted: false, look: null } });
  }
}

it("takes a case that is closed to its reader off the screen, and keeps what it had until told to forget", async () => {
  server.refusal = { is_closed: true, may_take: true };
  const { session, views } = await sitDown();
  changeTwice(session);
  await vi.waitFor(() => expect(session.state.stage).toMatchObject({ kind: "closed", numKept: 2 }));
  expect(session.state.stage).toMatchObject({ sentence: "The server says why.", mayTake: true });
  expect([views.front().onScreen, views.behind().onScreen]).toEqual([null, null]);
  await session.givingUp.forgetKept();
  expect(session.state.stage).toMatchObject({ kind: "closed", numKept: 0 });
  server.refusal = null;
  await session.reopen();
  expect(session.state.stage).toMatchObject({ kind: "open", save: { numWaiting: 0, problem: null } });
});

it("leaves nothing of a discarded amendment in the browser, not even what could be taken back", async () => {
  const leads = vi.fn();
  vi.stubGlobal("location", { assign: leads });
  const histories = historiesIn(await openDatabase(), "reader-1");
  const back = { kind: "add_active_time", payload: { seconds: 1 } } as const;
  const place = { kind: "vote", side: "a", question: "overall:" } as const;
  const done = [{ back: [back], forth: [back], place, onward: null, name: "time", group: null }];
  await histories.keep(uidOf(1), { done, undone: [] });
  const { session } = await sitDown();
  expect(await histories.of(uidOf(1))).not.toEqual(NO_DEEDS);
  changeTwice(session);
  expect(await session.givingUp.discardAmendment()).toBeNull();
  expect(await histories.of(uidOf(1))).toEqual(NO_DEEDS);
  // Nothing is sent to a reading that is gone.
  const asked = server.asked.filter((one) => one.startsWith("POST"));
  expect(asked.findIndex((one) => one.endsWith("/discard/"))).toBe(asked.length - 1);
  expect(leads).toHaveBeenCalledWith(pageOf(9));
});

it("says of a case that the server shows no more what this browser keeps of it, until told to forget", async () => {
  server.refusal = { is_closed: true, may_take: false };
  const { session } = await sitDown();
  changeTwice(session);
  await vi.waitFor(() => expect(session.state.stage).toMatchObject({ kind: "closed", numKept: 2 }));
  server.keepsBack = { is_closed: true, may_take: false };
  await session.reopen();
  const { stage } = session.state;
  expect(stage).toMatchObject({ kind: "closed", sentence: "The server says why.", numKept: 2 });
  expect(stage).toMatchObject({ caseLabel: caseAt(1).case_label });
  await session.givingUp.forgetKept();
  expect(session.state.stage).toMatchObject({ kind: "closed", numKept: 0 });
  await session.reopen();
  expect(session.state.stage).toMatchObject({ kind: "closed", caseLabel: "This case", numKept: 0 });
});

it("signs nothing while the server has refused something, nor by itself once that is settled", async () => {
  server.refusal = {};
  const { session } = await sitDown();
  changeTwice(session);
  await vi.waitFor(() =>
    expect(session.state.stage).toMatchObject({ save: { problem: { kind: "refused" } } }),
  );
  await session.sign();
  expect(session.state.refusal).toContain("first settle what the server refused");
  server.refusal = null;
  await session.showStored();
  await vi.waitFor(() =>
    expect(session.state.stage).toMatchObject({ kind: "open", save: { numWaiting: 0 } }),
  );
  expect(server.asked.filter((asked) => asked.endsWith("/sign/"))).toEqual([]);
  await session.sign();
  await vi.waitFor(() => expect(server.asked).toContain(`POST /api/readings/${uidOf(1)}/sign/`));
});

it("lets go of what another case can never send once told to", async () => {
  server.refusal = { is_over: true };
  const { session: before } = await sitDown();
  changeTwice(before);
  await vi.waitFor(() => expect(before.state.stage).toMatchObject({ save: { problem: { kind: "over" } } }));
  before.end();
  const leftOf = async (session: Session) => {
    await session.start(uidOf(2));
    return session.state.leftovers.own;
  };
  const make = (): Session => new Session(new Pair(), "reader-1", () => {}, ALONE);
  const after = make();
  const [left] = await leftOf(after);
  expect(await after.givingUp.whatIsLost(uidOf(1))).toBe("2 looks of the film");
  expect(left?.save.problem?.kind).toBe("over");
  if (left) await after.givingUp.forgetLeftover(left);
  expect(after.state.leftovers.own).toEqual([]);
  expect(await leftOf(make())).toEqual([]);
});

it("says where the settling of disputes begins", () => {
  const one = reading({ part: { reader_study: "One" } });
  const adjudication = { kind: "third_reader" as const, readings: [], disputed: [] };
  const settling = reading({ part: { reader_study: "One", is_adjudication: true, adjudication } });
  const alone = reading({ part: { reader_study: "One", is_adjudication: true, stage: "first_read" } });
  expect(otherWork(one, one)).toBeNull();
  expect(otherWork(one, settling)).toContain("you settle what readers dispute");
  expect(otherWork(one, alone)).toContain("once you have locked a first read of your own");
  expect(otherWork(settling, settling)).toBeNull();
  expect(otherWork(alone, settling)).toBeNull();
});

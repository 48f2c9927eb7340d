/** A saver to try things on: a server that answers as told, and what the browser keeps. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, vi } from "vitest";
import type { Answer } from "../src/api/client";
import type { Change, Confirmed, Sent, Stored } from "../src/api/reading";
import type { InstantStorage } from "../src/reading-room/last-resort";
import { type Outbox, openOutbox } from "../src/reading-room/outbox";
import type { SaveState } from "../src/reading-room/save-state";
import { Saver } from "../src/reading-room/saver";

export const vote = (side: "a" | "tie" | "b"): Change => ({
  kind: "cast_vote",
  payload: { kind: "overall", side },
});
export const FILM = "2.25.1";
export const READING = { uid: "reading-1", case_label: "S-1", saved_at: null, latest_changes: [] };

/** A server that answers as told, and notes what it was sent. */
export class FakeServer {
  readonly got: Sent[] = [];
  next: Answer<Confirmed>["kind"] = "done";
  isLocked = false;
  savedAt = "2026-11-23T10:42:07Z";
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
    const body = { change_id: sent.change_id, saved_at: this.savedAt, missing: [] };
    return { kind: "done", body: { kind: "changed", body } };
  };

  get sides(): unknown[] {
    return this.got.map((sent) => (sent.kind === "cast_vote" ? sent.payload.side : sent.kind));
  }
}

export const kept = new Map<string, string>();
export const storage: InstantStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  key: (index) => [...kept.keys()][index] ?? null,
  get length() {
    return kept.size;
  },
};

/** Holds back who waits at it until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

export async function saverWith(server: FakeServer, given?: Outbox) {
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

/** A browser without memory, and clocks that a test turns; for every test of a file. */
export function eachTestAfresh(): void {
  beforeEach(() => {
    globalThis.indexedDB = new IDBFactory();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => void vi.useRealTimers());
}

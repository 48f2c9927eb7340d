import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { getJson } from "../src/api/client";
import { type Sent, send } from "../src/api/reading";
import { SILENT_SECONDS } from "../src/api/silence";
import { fetchFilm } from "../src/viewer/part10";

const CHANGE = { kind: "add_active_time", change_id: "1", payload: { seconds: 5 } } as unknown as Sent;
const SIGNATURE: Sent = { kind: "sign", seconds_ago: 0, change_id: "2", sop_instance_uid: "2.25.1" };
const OPENED: Sent = { kind: "open", seconds_ago: 0, change_id: "3" };
const NAME: Sent = { kind: "report_name", change_id: "4", film: "f" };
const FILM = { url: "/film/", sopInstanceUid: "2.25.1", sha256: "" };

const answers = (body: BodyInit | null): void =>
  void vi.stubGlobal("fetch", async () => new Response(body, { status: 200 }));

/** Never an answer, until the request is called off. */
const silent = (_: string, { signal }: RequestInit): Promise<Response> =>
  new Promise((_, failed) => signal?.addEventListener("abort", () => failed(signal.reason)));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { cookie: "" });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what is no answer of the server confirms nothing", () => {
  for (const body of [
    "{}",
    "[]",
    "1",
    '"ok"',
    '{"change_id": "9", "saved_at": "2026-11-23T10:42:07Z"}',
    "<html>",
    "",
  ]) {
    it(body || "nothing", async () => {
      answers(body);
      for (const sent of [CHANGE, SIGNATURE, OPENED, NAME]) {
        const answer = await send("r", sent);
        expect(answer).toMatchObject({ kind: "unreachable", sentence: /no answer of the server/ });
      }
    });
  }

  it("and what is, does", async () => {
    const at = "2026-11-23T10:42:07Z";
    for (const [sent, said] of [
      [CHANGE, { change_id: "1", saved_at: at, missing: [] }],
      [SIGNATURE, { signed_at: at, next: null, ending: null }],
      [OPENED, { opened_at: null }],
      [NAME, { reported_at: at, closes_case: true, next: null, ending: null }],
    ] as const) {
      answers(JSON.stringify(said));
      expect(await send("r", sent)).toMatchObject({ kind: "done" });
    }
  });
});

describe("a refusal is for good where the server itself says why, and else tried again", () => {
  const refuses = (status: number, body: string): void =>
    void vi.stubGlobal("fetch", async () => new Response(body, { status }));

  for (const [status, body] of [
    [400, "<html>Bad Request</html>"],
    [413, "<html>Request Entity Too Large</html>"],
    [413, '{"message": "Request Too Long"}'],
    [400, '{"error": {"code": "blocked"}}'],
    [422, ""],
    [400, "{}"],
  ] as const) {
    it(`${status} ${body}`, async () => {
      refuses(status, body);
      const answer = await send("r", CHANGE);
      expect(answer.kind).toBe("unreachable");
      expect(answer).toMatchObject({
        sentence: `Something between here and the server turned it away (${status}). Tell an admin if that goes on.`,
      });
    });
  }

  for (const [status, body] of [
    [409, '{"detail": "This reading is signed and locked.", "is_over": true}'],
    [400, '{"film": ["This field is required."]}'],
  ] as const) {
    it(`${status} ${body}`, async () => {
      refuses(status, body);
      expect(await send("r", CHANGE)).toMatchObject({ kind: "refused", body: JSON.parse(body) });
    });
  }
});

describe("a server that is silent", () => {
  it("is given up, and said to be", async () => {
    vi.stubGlobal("fetch", silent);
    const answer = getJson("/api/session/");
    await vi.advanceTimersByTimeAsync(SILENT_SECONDS * 1000);
    expect(await answer).toEqual({ kind: "unreachable", sentence: "The server does not answer." });
  });

  it("has as long as it likes for a film that keeps coming, and not where it stops", async () => {
    let film: ReadableStreamDefaultController<Uint8Array> | undefined;
    vi.stubGlobal("fetch", async (_: string, { signal }: RequestInit) => {
      const body = new ReadableStream({
        start: (controller) => {
          film = controller;
        },
      });
      signal?.addEventListener("abort", () => film?.error(signal.reason));
      return new Response(body);
    });
    const failed = vi.fn();
    const fetched = fetchFilm(FILM).catch(failed);
    for (let part = 0; part < 5; part += 1) {
      await vi.advanceTimersByTimeAsync(0.8 * SILENT_SECONDS * 1000);
      film?.enqueue(new Uint8Array(9));
    }
    expect(failed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(SILENT_SECONDS * 1000);
    await fetched;
    expect(failed.mock.calls[0]?.[0].message).toBe(
      "The film could not be loaded: the server does not answer.",
    );
  });
});

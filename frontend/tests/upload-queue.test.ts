import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer } from "../src/api/client";
import type { ArchiveImport } from "../src/api/studies";
import { type NamedFile, type Result, UploadQueue } from "../src/upload/queue";
import type { Sent, Way } from "../src/upload/sending";

const AWAY: Answer<never> = { kind: "unreachable", sentence: "The server cannot be reached." };
const LOCKED_OUT: Answer<never> = { kind: "locked-out", sentence: "Log in first." };
const TOO_LARGE: Answer<never> = { kind: "refused", sentence: "The upload is too large." };
/** Longer than the longest wait between two tries. */
const A_WHILE_MS = 31_000;

const named = (...names: string[]): NamedFile[] =>
  names.map((name) => ({ name, file: new File(["x"], name) }));

function judged(batch: string): Answer<Sent> {
  const item = {
    uid: "i",
    file_name: "f",
    outcome: "accepted",
    reason: "",
    study: "s",
    is_to_look_at: false,
  };
  return { kind: "done", body: { batch, items: [item] } as unknown as Sent };
}

/** A server that answers what the test says, in turn, and afterwards takes everything. */
class Server {
  readonly sent: { name: string; batch: string | null }[] = [];
  readonly profiles: string[] = [];
  readonly results: Result[] = [];
  private waiting: (() => void)[] = [];
  private numBatches = 0;
  isHolding = false;
  way: Way | undefined;

  constructor(private readonly answers: Answer<Sent>[] = []) {}

  readonly queue = new UploadQueue({
    send: async (file, way) => {
      const { batch } = way;
      this.way = way;
      this.sent.push({ name: file.name, batch });
      this.profiles.push(way.profile);
      if (this.isHolding) await new Promise<void>((resolve) => this.waiting.push(resolve));
      return this.answers.shift() ?? judged(batch ?? `batch-${++this.numBatches}`);
    },
    progress: () => {},
    judged: (result) => this.results.push(result),
    changed: () => {},
  });

  answer(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  get names(): string[] {
    return this.sent.map(({ name }) => name);
  }
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("the files of one drop are one import, those of the next another", async () => {
  const server = new Server();
  server.queue.add(named("a", "b"), "research");
  server.queue.add(named("c"), "research");
  await settle();
  expect(server.sent).toEqual([
    { name: "a", batch: null },
    { name: "b", batch: "batch-1" },
    { name: "c", batch: null },
  ]);
  expect(server.queue.isBusy).toBe(false);
});

test("a server that is away is tried again with the same file, and the others wait behind it", async () => {
  const server = new Server([judged("batch-1"), AWAY, AWAY]);
  server.queue.add(named("a", "b", "c"), "research");
  await settle();
  expect(server.names).toEqual(["a", "b"]);
  expect(server.queue.state).toMatchObject({ current: null, numWaiting: 2, halt: { why: "away" } });
  expect(server.queue.isBusy).toBe(true);
  await vi.advanceTimersByTimeAsync(A_WHILE_MS);
  expect(server.names).toEqual(["a", "b", "b", "b", "c"]);
  expect(server.results.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(server.queue.state).toMatchObject({ numWaiting: 0, numUnsent: 0, halt: null });
});

test("a person tries at once, and no second try follows by itself", async () => {
  const server = new Server([AWAY]);
  server.queue.add(named("a", "b"), "research");
  await settle();
  server.isHolding = true;
  server.queue.goOn();
  await vi.advanceTimersByTimeAsync(A_WHILE_MS);
  expect(server.names).toEqual(["a", "a"]);
});

test("who is logged out is waited for, however long, and the file is sent then", async () => {
  const server = new Server([LOCKED_OUT]);
  server.queue.add(named("a", "b"), "research");
  await vi.advanceTimersByTimeAsync(A_WHILE_MS);
  expect(server.names).toEqual(["a"]);
  expect(server.queue.state.halt).toEqual({ why: "locked-out", sentence: "Log in first." });
  server.queue.goOn();
  await settle();
  expect(server.results.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("a pause lets the file that is on its way arrive", async () => {
  const server = new Server();
  server.isHolding = true;
  server.queue.add(named("a", "b"), "research");
  server.queue.pause();
  server.answer();
  await vi.advanceTimersByTimeAsync(A_WHILE_MS);
  expect(server.results.map(({ name }) => name)).toEqual(["a"]);
  expect(server.queue.state).toMatchObject({ current: null, numWaiting: 1, halt: { why: "paused" } });
  server.isHolding = false;
  server.queue.goOn();
  await settle();
  expect(server.names).toEqual(["a", "b"]);
});

test("who paused while the server was away is not gone on without", async () => {
  const server = new Server([AWAY]);
  server.isHolding = true;
  server.queue.add(named("a"), "research");
  server.queue.pause();
  server.answer();
  await vi.advanceTimersByTimeAsync(A_WHILE_MS);
  expect(server.names).toEqual(["a"]);
  expect(server.queue.state.halt?.why).toBe("paused");
});

test("what is left out is not sent, and what was sent stays", async () => {
  const server = new Server();
  server.isHolding = true;
  server.queue.add(named("a", "b", "c"), "research");
  server.queue.leaveOut();
  server.answer();
  await settle();
  expect(server.names).toEqual(["a"]);
  expect(server.results.map(({ name }) => name)).toEqual(["a"]);
  expect(server.queue.isBusy).toBe(false);
});

test("a file that is refused stops no other and is sent again as an import of its own", async () => {
  const server = new Server([judged("batch-1"), TOO_LARGE]);
  server.queue.add(named("a", "b", "c"), "research");
  await settle();
  expect(server.results.map(({ outcome }) => outcome)).toEqual(["accepted", "not sent", "accepted"]);
  expect(server.queue.state.numUnsent).toBe(1);
  server.queue.sendAgain();
  await settle();
  expect(server.sent.at(-1)).toEqual({ name: "b", batch: null });
  expect(server.queue.state.numUnsent).toBe(0);
});

test("an archive that is there is handed over, and takes no film into its import", async () => {
  const server = new Server([
    { kind: "done", body: { state: "queued", uid: "u" } as unknown as ArchiveImport },
  ]);
  server.queue.add(named("films.zip", "a"), "research");
  await settle();
  expect(server.results.map(({ outcome }) => outcome)).toEqual(["handed over", "accepted"]);
  expect(server.sent.at(-1)).toEqual({ name: "a", batch: null });
});

test("what is sent in parts pauses between two of them and goes on as the first in line", async () => {
  const server = new Server([AWAY]);
  server.isHolding = true;
  server.queue.add(named("films.zip", "a"), "research");
  expect(server.way?.mayGoOn()).toBe(true);
  server.queue.pause();
  expect(server.way?.mayGoOn()).toBe(false);
  server.answer();
  await settle();
  server.isHolding = false;
  server.queue.goOn();
  await settle();
  expect(server.names).toEqual(["films.zip", "films.zip", "a"]);
});

test("each drop keeps its profile, and what could not be sent is sent by it again", async () => {
  const server = new Server([TOO_LARGE, TOO_LARGE]);
  server.queue.add(named("a"), "research");
  server.queue.add(named("b"), "keep-device");
  await settle();
  server.queue.sendAgain();
  await settle();
  expect(server.profiles).toEqual(["research", "keep-device", "research", "keep-device"]);
  expect(server.sent.slice(2)).toEqual([
    { name: "a", batch: null },
    { name: "b", batch: null },
  ]);
});

test("one archive alone can be paused between its parts, and goes on", async () => {
  const server = new Server([{ kind: "unreachable", sentence: "Paused." }]);
  server.isHolding = true;
  const file = new File(["x"], "films.zip");
  Object.defineProperty(file, "size", { value: 2 ** 30 });
  server.queue.add([{ name: "films.zip", file }], "research");
  await settle();
  expect(server.queue.state).toMatchObject({ current: "films.zip", isLong: true, numWaiting: 0 });
  server.queue.pause();
  expect(server.way?.mayGoOn()).toBe(false);
  server.answer();
  await settle();
  expect(server.queue.state).toMatchObject({ current: null, numWaiting: 1, halt: { why: "paused" } });
  server.queue.goOn();
  await settle();
  expect(server.names).toEqual(["films.zip", "films.zip"]);
});

test("a pause that comes with the last file holds nothing back", async () => {
  const server = new Server();
  server.isHolding = true;
  server.queue.add(named("a"), "research");
  await settle();
  server.queue.pause();
  server.answer();
  await settle();
  expect(server.queue.state.halt).toBeNull();
  server.queue.add(named("b"), "research");
  await settle();
  expect(server.names).toEqual(["a", "b"]);
});

/** What the server hears of late: how long ago it was, also for a page after the one that did it. */
import { beforeEach, expect, it, vi } from "vitest";
import api from "../openapi.json";
import type { Sent } from "../src/api/reading";
import { Ages, MOST_SECONDS_AGO } from "../src/reading-room/ages";
import { openOutbox } from "../src/reading-room/outbox";
import { eachTestAfresh, FakeServer, FILM, saverWith, vote } from "./saving";

const ages = (server: FakeServer) =>
  server.got.map((sent) => ("seconds_ago" in sent ? sent.seconds_ago : null));
let seconds = 0;

eachTestAfresh();
beforeEach(() => {
  seconds = 0;
  vi.spyOn(performance, "now").mockImplementation(() => seconds * 1000);
});

it("a case shown while the server is away was opened when it was shown, and signed when it was signed", async () => {
  const server = new FakeServer();
  server.next = "unreachable";
  const { saver } = await saverWith(server);
  saver.opened();
  await saver.flush();
  seconds = 300;
  saver.save(vote("a"), FILM);
  saver.sign(FILM);
  await saver.flush();
  seconds = 420;
  server.next = "done";
  await saver.flush();
  expect(server.sides).toEqual(["open", "a", "sign"]);
  expect(ages(server)).toEqual([420, null, 120]);
});

it("a page after it knows how old it was when something was last done or tried there", async () => {
  const server = new FakeServer();
  const { saver } = await saverWith(server);
  saver.hold();
  saver.opened();
  seconds = 90;
  saver.save(vote("a"), FILM);
  await saver.flush();
  seconds = 100;
  saver.close();
  const { saver: after } = await saverWith(server);
  await after.unsent();
  seconds = 5;
  await after.flush();
  expect(ages(server)).toEqual([90, null]);
});

it("a try that failed keeps the age for a page after it", async () => {
  const server = new FakeServer();
  server.next = "unreachable";
  const { saver } = await saverWith(server);
  saver.sign(FILM);
  await saver.flush();
  seconds = 60;
  await saver.flush();
  saver.close();
  server.next = "done";
  const { saver: after } = await saverWith(server);
  await after.unsent();
  await after.flush();
  expect(ages(server)).toEqual([60]);
});

it("what was sent meanwhile does not come back by getting older", async () => {
  const outbox = await openOutbox();
  const change: Sent = { kind: "open", seconds_ago: 0, change_id: "1" };
  await outbox.add({ account: "reader-1", reading: "reading-1", caseLabel: "S-1", change });
  const [row] = await outbox.all();
  if (row === undefined) throw new Error("nothing waits");
  await outbox.remove(row.sequence);
  await outbox.replace({ ...row, change: { ...change, seconds_ago: 9 } });
  expect(await outbox.all()).toEqual([]);
});

it("is never more than the server takes, and whole", () => {
  const { maximum } = api.components.schemas.OpeningRequest.properties.seconds_ago;
  expect(MOST_SECONDS_AGO).toBe(maximum);
  const watch = new Ages(() => seconds * 1000);
  const opened: Sent = { kind: "open", seconds_ago: 0, change_id: "1" };
  watch.begin(opened);
  seconds = 2.7;
  expect(watch.aged(opened)).toMatchObject({ seconds_ago: 2 });
  seconds = 3 * maximum;
  expect(watch.aged(opened)).toMatchObject({ seconds_ago: maximum });
});

import { describe, expect, it, vi } from "vitest";
import { type Outbox, openOutbox, outboxInMemory } from "../src/reading-room/outbox";

import { eachTestAfresh, FakeServer, FILM, gate, saverWith, vote } from "./saving";

eachTestAfresh();

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

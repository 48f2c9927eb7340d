import { describe, expect, it } from "vitest";
import type { Stored } from "../src/api/reading";
import { itemOf, seenIn } from "../src/reading-room/items";
import { outboxInMemory } from "../src/reading-room/outbox";

import { eachTestAfresh, FakeServer, FILM, saverWith, vote } from "./saving";

eachTestAfresh();

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

import { describe, expect, it } from "vitest";
import { desk, reading } from "./scene";

/** One step a side, rated by keys. */
async function atTwo() {
  const { room } = await desk(reading({ numSteps: 1 }));
  const press = (...points: number[]): void => {
    for (const each of points) room.perform({ kind: "points", points: each });
  };
  const rateStep = (): void => {
    press(4);
    room.perform({ kind: "verdict", verdict: "fits" });
  };
  return { room, press, rateStep, turn: () => room.state.turn };
}

describe("where the focus passes to the other output", () => {
  it("says so when it goes by itself, and what comes after both", async () => {
    const { room, press, rateStep, turn } = await atTwo();
    rateStep();
    expect(turn()).toBeNull();
    press(5, 5, 5, 1);
    expect(room.state.place).toMatchObject({ kind: "step", side: "b" });
    expect(turn()).toBe("Output A is complete. You are on output B now.");
    rateStep();
    press(5, 5, 5, 1);
    expect(turn()).toBeNull();
    expect(room.state.hint).toBe("Both outputs are rated. Now for both together.");
  });

  it("says so when the reader turns or walks there, and back, until the next item", async () => {
    const { room, turn } = await atTwo();
    room.perform({ kind: "swap" });
    expect(turn()).toBe("You are on output B now.");
    room.perform({ kind: "walk", by: 1 });
    expect(turn()).toBeNull();
    room.walking.turnTo("a");
    expect(turn()).toBe("You are on output A now.");
    room.goTo({ kind: "vote", side: "a", question: "overall" });
    room.perform({ kind: "swap" });
    expect(turn()).toBe("Output B is shown now.");
  });

  it("says nothing of an output where the case has one", async () => {
    const { room } = await desk(reading({ numSides: 1, numSteps: 1 }));
    room.perform({ kind: "walk", by: 1 });
    expect(room.state.turn).toBeNull();
  });
});

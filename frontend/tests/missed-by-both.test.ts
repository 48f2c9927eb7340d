import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action } from "../src/reading-room/actions";
import { isMissedByOneAlone } from "../src/reading-room/missed-by-both";
import { desk, reading } from "./scene";

const asTwin: Action = { kind: "as-twin" };
const box = { x_min: 10, y_min: 20, x_max: 110, y_max: 220 };
const finding = { uid: "f", completion: "completion-a", text: "Left nodule" };
const drawn = { uid: "fr", step: null, missed_finding: "f", first_read: null, ...box };
const missing = (missed_findings = [finding]) =>
  reading({ part: { missed_findings, drawn_regions: [drawn] } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("what both outputs missed", () => {
  it("is said and drawn once, with a key, and the focus stays where it was", async () => {
    const { room } = await desk(missing());
    room.goTo({ kind: "finding", side: "a", finding: "f" });
    room.perform(asTwin);
    const { missed_findings, drawn_regions } = room.state.reading;
    const copy = missed_findings[1];
    expect(copy).toMatchObject({ completion: "completion-b", text: "Left nodule" });
    expect(copy?.uid).not.toBe("f");
    expect(drawn_regions.slice(1)).toMatchObject([{ missed_finding: copy?.uid, ...box }]);
    expect(drawn_regions[1]?.uid).not.toBe("fr");
    expect(room.state.place).toMatchObject({ kind: "finding", finding: "f" });
    expect(room.state.said).toBe("Named as missed finding 1 of output B too.");
  });

  it("is taken back and done again as one, the region before what it belongs to", async () => {
    const { room, saved } = await desk(missing());
    room.goTo({ kind: "finding", side: "a", finding: "f" });
    room.perform(asTwin);
    room.perform({ kind: "undo" });
    expect(room.state.reading.missed_findings).toEqual([finding]);
    expect(room.state.reading.drawn_regions).toEqual([drawn]);
    expect(saved.slice(-2).map(({ change }) => change.kind)).toEqual(["draw_region", "add_finding"]);
    room.perform({ kind: "redo" });
    expect(room.state.reading.missed_findings).toHaveLength(2);
    expect(room.state.reading.drawn_regions).toHaveLength(2);
  });

  it("is not said twice, whatever its capitals, nor where there is one output", async () => {
    const other = { uid: "g", completion: "completion-b", text: "left nodule " };
    const { room } = await desk(missing([finding, other]));
    room.goTo({ kind: "finding", side: "a", finding: "f" });
    room.perform(asTwin);
    expect(room.state.said).toBe("Output B has it already, as its missed finding 1.");
    expect(room.state.reading.missed_findings).toHaveLength(2);
    expect(isMissedByOneAlone(missing(), finding)).toBe(true);
    expect(isMissedByOneAlone(reading({ numSides: 1, part: { missed_findings: [finding] } }), finding)).toBe(
      false,
    );
  });
});

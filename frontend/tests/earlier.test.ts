import { describe, expect, it } from "vitest";
import type { DrawnRegion, Reading } from "../src/api/reading";
import {
  earlierAnswers,
  earlierFindings,
  earlierFirstReads,
  earlierOnStep,
  earlierSights,
} from "../src/reading-room/earlier";
import { marksFor } from "../src/reading-room/marks";
import { stepPlace } from "../src/reading-room/place";
import { CRITERIA, criterion, firstRead, reading } from "./scene";

type Earlier = NonNullable<Reading["adjudication"]>["readings"][number];

const BOX = { x_min: 10, y_min: 20, x_max: 30, y_max: 40 };

function earlier(label: string, part: Partial<Earlier> = {}): Earlier {
  return {
    label,
    window: null,
    said_first: null,
    said_after_reveal: null,
    step_ratings: [],
    region_annotations: [],
    drawn_regions: [],
    missed_findings: [],
    answer_ratings: [],
    votes: [],
    criterion_ratings: [],
    ...part,
  };
}

function drawn(uid: string, first_read: "first" | "after_reveal"): DrawnRegion {
  return { uid, step: null, missed_finding: null, first_read, ...BOX };
}

/** Reader 1 redrew step a1's region and drew a further one; reader 2 found it fitting and drew what was missed. */
const disputed = reading({
  part: {
    adjudication: {
      disputed: [],
      kind: "third_reader",
      readings: [
        earlier("Reader 1", {
          region_annotations: [{ region: "a1r", verdict: "adjusted", ...BOX }],
          drawn_regions: [{ uid: "own", step: "a1", missed_finding: null, first_read: null, ...BOX }],
        }),
        earlier("Reader 2", {
          window: {
            center: 128,
            width: 200,
            inverted: true,
            look: { index: 2, name: "HARDER", curve: "table" },
          },
          region_annotations: [
            { region: "a1r", verdict: "fits", x_min: null, y_min: null, x_max: null, y_max: null },
            { region: "b1r", verdict: "adjusted", ...BOX },
          ],
          said_first: firstRead({ findings: ["Fracture"], confidence: 4, regions: [drawn("f", "first")] }),
          said_after_reveal: firstRead({ impression: "rib 7", regions: [drawn("g", "after_reveal")] }),
          missed_findings: [{ uid: "m", completion: "completion-a", text: "rib fracture" }],
          drawn_regions: [{ uid: "where", step: null, missed_finding: "m", first_read: null, ...BOX }],
        }),
      ],
    },
  },
});
const [one, two] = disputed.completions[0]?.steps ?? [];

function labels(part: Partial<Parameters<typeof marksFor>[1]>): string[] {
  const looking = {
    place: stepPlace("a", one as NonNullable<typeof one>),
    hovered: null,
    showsAll: false,
    isHidden: false,
    drawing: null,
    fresh: null,
    inHand: null,
    nudged: null,
    ...part,
  };
  return marksFor(disputed, looking).map(({ label }) => label);
}

it("says what was seen on the film alone, by whom it was asked, with the change of mind", () => {
  expect(earlierFirstReads(disputed)).toEqual([
    {
      label: "Reader 2",
      said: "first read Fracture (confidence 4 of 5); after the reveal rib 7 (R2 F1, R2 F2)",
      drawn: 2,
    },
  ]);
});

describe("what earlier readers drew", () => {
  it("is shown with the step that has the focus or is pointed at, and with all regions", () => {
    expect(labels({})).toEqual(["R1 1", "R1 1+1", "1"]);
    const place = stepPlace("a", two as NonNullable<typeof two>);
    expect(labels({ place })).toEqual(["2"]);
    expect(labels({ place, hovered: "a1" })).toEqual(["R1 1", "R1 1+1", "1", "2"]);
    expect(labels({ showsAll: true })).toEqual(["R1 1", "R1 1+1", "R2 M1", "R2 F1", "R2 F2", "1", "2"]);
    expect(labels({ place: { kind: "first-read", side: "a", part: "answer" } })).toEqual(["R2 F1", "R2 F2"]);
    expect(labels({ showsAll: true, isHidden: true })).toEqual([]);
  });

  it("is not the reader's to move, and keeps the colour of its step", () => {
    const marks = marksFor(disputed, {
      place: stepPlace("a", one as NonNullable<typeof one>),
      hovered: null,
      showsAll: false,
      isHidden: false,
      drawing: "a1r",
      fresh: null,
      inHand: null,
      nudged: null,
    });
    expect(
      marks.map(({ reader, adjustable, focused, colour }) => [reader, adjustable, focused, colour]),
    ).toEqual([
      [1, false, false, 1],
      [1, false, false, 1],
      [null, true, true, 1],
    ]);
  });

  it("is told beside the item by the same labels", () => {
    const [first, second] = earlierOnStep(disputed, one as NonNullable<typeof one>);
    expect(first).toEqual({
      label: "Reader 1",
      said: "no rating, redrawn as R1 1, further region R1 1+1",
      drawn: 1,
    });
    expect(second).toEqual({ label: "Reader 2", said: "no rating, fits", drawn: null });
    expect(earlierFindings(disputed, "completion-a")).toEqual([
      { label: "Reader 2", said: "rib fracture (R2 M1)", drawn: 2 },
    ]);
    expect(earlierFindings(disputed, "completion-b")).toEqual([]);
  });

  it("says nothing of what nobody was asked", () => {
    const unasked = { ...disputed, criteria: [] };
    const said = (step: typeof one): string[] =>
      earlierOnStep(unasked, step as NonNullable<typeof one>).map((word) => word.said);
    expect(said(one)).toEqual(["redrawn as R1 1, further region R1 1+1", "fits"]);
    expect(said(two)).toEqual([]);
  });

  it("was not asked for the errors of a step that the reader found right", () => {
    const error = criterion("error-of-finding", {
      target: "step",
      kind: "choice",
      field: "",
      asked_if: "flawed",
      finding: "",
    });
    const rated = (plausibility: number) =>
      earlier("Reader", {
        step_ratings: [{ step: "a1", plausibility, cannot_judge: false, note: "", edited_text: "" }],
        region_annotations: [
          { region: "a1r", verdict: "fits", x_min: null, y_min: null, x_max: null, y_max: null },
        ],
      });
    const settling = reading({
      part: {
        criteria: [...CRITERIA, error],
        adjudication: { disputed: [], kind: "third_reader", readings: [rated(5), rated(2)] },
      },
    });
    const question = { criterion: error, completion: null, step: "a1", region: null };
    expect(earlierAnswers(settling, question).map(({ said }) => said)).toEqual(["not asked", "no answer"]);
  });

  it("was seen through a window, which is told", () => {
    expect(earlierSights(disputed).map(({ said }) => said)).toEqual([
      "saw the film as it is stored",
      "saw the film with HARDER, W 200 L 128, inverted",
    ]);
  });
});

/** A reading to try things on: two outputs, as the server sends them. */
import type {
  AskedCriterion,
  Change,
  Completion,
  FirstRead,
  Reading,
  Region,
  Side,
  Step,
} from "../src/api/reading";
import type { Past } from "../src/reading-room/record";
import { Room } from "../src/reading-room/room";
import type { Display, Film, FilmPlace, FilmView, RegionMark } from "../src/viewer/film";
import { WrongImage } from "../src/viewer/film";
import type { Box, Size } from "../src/viewer/geometry";
import { type Line, lineLabels } from "../src/viewer/ruler";
import type { Seen } from "../src/viewer/window";

export const FILM_UID = "2.25.1";

export function region(uid: string, position = 1, part: Partial<Region> = {}): Region {
  return { uid, position, x_min: 100, y_min: 200, x_max: 300, y_max: 400, problem: "", ...part };
}

export function step(uid: string, position: number, regions: Region[]): Step {
  return { uid, position, text: `Sentence ${uid}`, names: [], regions };
}

export function completion(side: Side, steps: Step[], part: Partial<Completion> = {}): Completion {
  return {
    side,
    uid: `completion-${side}`,
    answer: "left nodule",
    answer_names: [],
    text: "…",
    beside: [],
    problems: [],
    steps,
    ...part,
  };
}

const FIVE = [1, 2, 3, 4, 5].map((value) => ({ value, label: String(value), anchor: "" }));
const named = (...values: string[]) => values.map((value) => ({ value, label: value, anchor: "" }));

/** Its uid is its key, so that a place reads "relevance:completion-a". */
export function criterion(key: string, part: Partial<AskedCriterion> = {}): AskedCriterion {
  return {
    uid: key,
    key,
    version: 1,
    name: key,
    question: "",
    target: "answer",
    kind: "scale",
    options: FIVE,
    field: key,
    asked_if: "",
    finding: "",
    is_required: true,
    ...part,
  };
}

/** Everything that the reading room has a place of its own for. */
export const CRITERIA: AskedCriterion[] = [
  criterion("plausibility", { target: "step" }),
  criterion("verdict", { target: "region", kind: "choice", options: named("fits", "adjusted", "wrong") }),
  criterion("relevance"),
  criterion("correctness"),
  criterion("completeness"),
  criterion("harm", { kind: "choice", options: named("none", "mild", "severe") }),
  ...["grounded", "overall"].map((key) =>
    criterion(key, { target: "vote", kind: "choice", options: named("a", "tie", "b", "both_bad") }),
  ),
];

/** `numSteps` steps a side, each with one region: step "a1" has the region "a1r". */
/** Nothing was said yet, but what is given. */
export function firstRead(part: Partial<FirstRead>): FirstRead {
  const nothing = {
    choice: "",
    findings: [],
    impression: "",
    confidence: null,
    locked_at: null,
    regions: [],
  };
  return { ...nothing, ...part };
}

export function reading({ numSides = 2, numSteps = 2, part = {} as Partial<Reading> } = {}): Reading {
  const sides = (["a", "b"] as const).slice(0, numSides);
  return {
    uid: "reading-1",
    stage: "rating",
    reader_study: "Round 2",
    instructions: "",
    deadline: null,
    is_training: false,
    case_label: "S-1",
    position: 3,
    num_cases: 9,
    may_be_more_cases: false,
    question: "What is wrong?",
    instance: {
      uid: "instance-1",
      sop_instance_uid: FILM_UID,
      film_url: "/api/instances/instance-1/film/",
      file_sha256: "0".repeat(64),
      rows: 1000,
      columns: 800,
      row_spacing_mm: null,
      column_spacing_mm: null,
      bits_stored: 12,
      view_position: "PA",
      modality: "DX",
    },
    films: [],
    first_read: null,
    pause: null,
    skips_first_read: false,
    criteria: CRITERIA,
    completions: sides.map((side) =>
      completion(
        side,
        Array.from({ length: numSteps }, (_, i) =>
          step(`${side}${i + 1}`, i + 1, [region(`${side}${i + 1}r`)]),
        ),
      ),
    ),
    step_ratings: [],
    region_annotations: [],
    answer_ratings: [],
    votes: [],
    missed_findings: [],
    drawn_regions: [],
    criterion_ratings: [],
    is_adjudication: false,
    adjudication: null,
    feedback: null,
    window: null,
    measured_lines: [],
    active_seconds: 0,
    missing: [],
    amends_signed_at: null,
    amendment_reason: "",
    signed_at: null,
    saved_at: null,
    latest_changes: [],
    closed: null,
    next: null,
    give_back: null,
    amend: null,
    ...part,
  };
}

/** A viewer without a screen: shows what it is told, and loses it when a test says so. */
export class FakeView implements FilmView {
  onScreen: string | null = null;
  marks: readonly RegionMark[] = [];
  drawing: string | null = null;
  broughtIntoView: Box[] = [];
  answer: () => Promise<string> = async () => FILM_UID;

  async showImage(film: Film) {
    this.onScreen = null;
    const came = await this.answer();
    if (came !== film.sopInstanceUid) throw new WrongImage("another film");
    this.onScreen = came;
    return { initial: { center: 50, width: 100 }, range: { lower: 0, upper: 100 }, brighterIsHigher: true };
  }
  sopInstanceUidOnScreen = () => this.onScreen;
  showRegions(marks: readonly RegionMark[]) {
    this.marks = marks;
  }
  drawRegion(uid: string | null) {
    this.drawing = uid;
  }
  arrangeLabels() {}
  bringIntoView(box: Box) {
    this.broughtIntoView.push(box);
  }
  setDragTool() {}
  seeAgain = (_seen: Seen) => true;
  presets = () => ["Full range"];
  choosePreset(_index: number) {}
  setInverted(_inverted: boolean) {}
  fit() {}
  showActualSize() {}
  zoomBy() {}
  display = (): Display | null => null;
  at: FilmPlace = { isFitted: true, zoom: 1, middle: { x: 0.5, y: 0.5 } };
  place = () => this.at;
  showPlace(place: FilmPlace) {
    this.at = place;
  }
  lines: readonly Line[] = [];
  inHand = 0;
  suggested: Line | null = null;
  showsRulers = true;
  film: Size | null = { width: 800, height: 1000 };
  isMagnifying = false;
  measured = () => {};
  setRulers(lines: readonly Line[], inHand = lines.length - 1) {
    this.lines = lines;
    this.inHand = Math.max(inHand, 0);
    this.suggested = null;
  }
  rulers = () => this.lines;
  rulerInHand = () => this.inHand;
  suggestRuler(line: Line) {
    this.suggested = line;
  }
  suggestedRuler = () => this.suggested;
  showRulers(areShown: boolean) {
    this.showsRulers = areShown;
  }
  giveUpLine = () => false;
  rulerLabels = () => lineLabels(this.lines, null);
  filmSize = () => this.film;
  setMagnifying(isOn: boolean) {
    this.isMagnifying = isOn;
  }
  moveMagnifier() {}
  onMeasured(listener: () => void) {
    this.measured = listener;
  }
  lineBegun = () => {};
  onLineBegun(listener: () => void) {
    this.lineBegun = listener;
  }
  onRegionDrawn() {}
  onRegionNotDrawn() {}
  onRegionChosen() {}
  onRegionHovered() {}
  onDisplayChanged() {}
  onImageLost() {}
  clear() {
    this.onScreen = null;
  }
  setBehind() {}
  drawn = async () => {};
  dispose() {}
}

export interface Desk {
  readonly room: Room;
  readonly view: FakeView;
  readonly saved: { change: Change; film: string }[];
}

export async function desk(
  opened: Reading = reading(),
  past?: Past,
  view: FakeView = new FakeView(),
): Promise<Desk> {
  const saved: Desk["saved"] = [];
  const room = new Room(
    opened,
    view,
    (change, film) => saved.push({ change, film }),
    () => {},
    past,
  );
  await room.loadFilm();
  return { room, view, saved };
}

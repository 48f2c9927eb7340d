/** The key map: one table, from which the keys work, the bottom bar and the sheet of shortcuts are made. */
import type { Action } from "./actions";

export interface Shortcut {
  /** KeyboardEvent.code: the key's place, so that every keyboard layout has the same reach. */
  readonly codes: readonly string[];
  readonly control?: boolean;
  readonly alt?: boolean;
  readonly shift?: boolean;
  /** Acts again while the key is held. */
  readonly repeats?: boolean;
  readonly action: Action;
  readonly caps: readonly string[];
  readonly label: string;
  readonly group: "Rate" | "Walk" | "Regions" | "Film" | "Reading";
}

const FIVE = [1, 2, 3, 4, 5];
const NINE = [...FIVE, 6, 7, 8, 9];

/** Lists of more than nine go on with Shift. */
const digits: Shortcut[] = [
  ...NINE.map((n) => ({ n, points: n, shift: false })),
  ...NINE.map((n) => ({ n, points: n + NINE.length, shift: true })),
].map(({ n, points, shift }) => ({
  codes: [`Digit${n}`, ...(shift ? [] : [`Numpad${n}`])],
  shift,
  action: { kind: "points", points },
  caps: shift ? ["Shift", "1–9"] : points > FIVE.length ? ["6–9"] : ["1–5"],
  label: shift
    ? "The tenth and further ones of a list"
    : points > FIVE.length
      ? "The sixth and further ones of a list"
      : "Points, or the first to fifth of a list",
  group: "Rate",
}));

const nudge = (code: string, x: number, y: number): Shortcut[] =>
  [1, 10].map((by) => ({
    codes: [code],
    shift: by === 10,
    repeats: true,
    action: { kind: "nudge", x: x * by, y: y * by },
    caps: ["← → ↑ ↓"],
    label: "Move the redrawn region by 1 px, with Shift by 10",
    group: "Regions",
  }));

const resize = (code: string, x: number, y: number): Shortcut[] =>
  (["end", "start"] as const).flatMap((corner) =>
    [1, 10].map((by) => ({
      codes: [code],
      control: corner === "end",
      alt: corner === "start",
      shift: by === 10,
      repeats: true,
      action: { kind: "resize", corner, x: x * by, y: y * by } as const,
      caps: [corner === "end" ? "Ctrl" : "Alt", "← → ↑ ↓"],
      label: corner === "end" ? "Move its right and bottom edges" : "Move its left and top edges",
      group: "Regions",
    })),
  );

export const SHORTCUTS: readonly Shortcut[] = [
  ...digits,
  { codes: ["KeyU"], action: { kind: "cannot-judge" }, caps: ["U"], label: "Cannot judge", group: "Rate" },
  {
    codes: ["KeyF"],
    action: { kind: "verdict", verdict: "fits" },
    caps: ["F"],
    label: "Region fits",
    group: "Rate",
  },
  { codes: ["KeyR"], action: { kind: "redraw" }, caps: ["R"], label: "Redraw region", group: "Rate" },
  {
    codes: ["KeyX"],
    action: { kind: "verdict", verdict: "wrong" },
    caps: ["X"],
    label: "Region wrong",
    group: "Rate",
  },
  {
    codes: ["KeyA"],
    action: { kind: "scales" },
    caps: ["A"],
    label: "What the values mean: all of them, or one",
    group: "Rate",
  },
  { codes: ["KeyE"], action: { kind: "edit" }, caps: ["E"], label: "Edit the text", group: "Rate" },
  { codes: ["KeyT"], action: { kind: "note" }, caps: ["T"], label: "Note", group: "Rate" },
  {
    codes: ["KeyN"],
    action: { kind: "missed-finding" },
    caps: ["N"],
    label: "Missed finding",
    group: "Rate",
  },
  {
    codes: ["KeyY"],
    action: { kind: "change-of-mind" },
    caps: ["Y"],
    label: "Back to your first read, with another mind",
    group: "Rate",
  },
  { codes: ["KeyJ"], action: { kind: "walk", by: 1 }, caps: ["J"], label: "Next item", group: "Walk" },
  { codes: ["KeyK"], action: { kind: "walk", by: -1 }, caps: ["K"], label: "Previous item", group: "Walk" },
  {
    codes: ["KeyG"],
    action: { kind: "next-region" },
    caps: ["G"],
    label: "Next region of the step",
    group: "Walk",
  },
  { codes: ["Backquote"], action: { kind: "swap" }, caps: ["`"], label: "Swap A/B", group: "Walk" },
  {
    codes: ["KeyC"],
    action: { kind: "compare" },
    caps: ["C"],
    label: "Compare A and B side by side",
    group: "Walk",
  },
  { codes: ["KeyB"], action: { kind: "all-regions" }, caps: ["B"], label: "All regions", group: "Regions" },
  {
    codes: ["Space"],
    action: { kind: "hide-regions" },
    caps: ["Space"],
    label: "Hide regions and lines while held",
    group: "Regions",
  },
  {
    codes: ["KeyD"],
    action: { kind: "add-region" },
    caps: ["D"],
    label: "Draw a further region here",
    group: "Regions",
  },
  {
    codes: ["Delete", "Backspace"],
    action: { kind: "delete-region" },
    caps: ["Del"],
    label: "Delete your own region",
    group: "Regions",
  },
  ...nudge("ArrowLeft", -1, 0),
  ...nudge("ArrowRight", 1, 0),
  ...nudge("ArrowUp", 0, -1),
  ...nudge("ArrowDown", 0, 1),
  ...resize("ArrowLeft", -1, 0),
  ...resize("ArrowRight", 1, 0),
  ...resize("ArrowUp", 0, -1),
  ...resize("ArrowDown", 0, 1),
  {
    codes: ["Enter", "NumpadEnter"],
    action: { kind: "done" },
    caps: ["Enter"],
    label: "Done: with the redrawn region, or the text (Shift Enter: a new line)",
    group: "Regions",
  },
  {
    codes: ["Escape"],
    action: { kind: "cancel" },
    caps: ["Esc"],
    label: "Leave redrawing, the region as it was, or a text field, the text kept",
    group: "Regions",
  },
  {
    codes: ["KeyW"],
    action: { kind: "tool", tool: "window" },
    caps: ["W"],
    label: "Drag changes the window",
    group: "Film",
  },
  { codes: ["KeyP"], action: { kind: "tool", tool: "pan" }, caps: ["P"], label: "Drag pans", group: "Film" },
  {
    codes: ["KeyZ"],
    action: { kind: "tool", tool: "zoom" },
    caps: ["Z"],
    label: "Drag zooms",
    group: "Film",
  },
  {
    codes: ["KeyM"],
    action: { kind: "tool", tool: "measure" },
    caps: ["M"],
    label:
      "Measure: drag, or click both ends; arrow keys or Enter take the suggested line; again suggests a further one",
    group: "Film",
  },
  {
    codes: ["KeyV"],
    repeats: true,
    action: { kind: "magnify" },
    caps: ["V"],
    label: "Magnifier, also while held",
    group: "Film",
  },
  {
    codes: ["KeyO"],
    action: { kind: "other-film" },
    caps: ["O"],
    label: "Next other film in place: lateral, prior, and back",
    group: "Film",
  },
  {
    codes: ["KeyO"],
    shift: true,
    action: { kind: "film-layout" },
    caps: ["Shift", "O"],
    label: "Other film beside the rated one",
    group: "Film",
  },
  { codes: ["KeyL"], action: { kind: "preset" }, caps: ["L"], label: "Next window preset", group: "Film" },
  { codes: ["KeyI"], action: { kind: "invert" }, caps: ["I"], label: "Invert", group: "Film" },
  { codes: ["Digit0", "Numpad0"], action: { kind: "fit" }, caps: ["0"], label: "Fit", group: "Film" },
  {
    codes: ["Digit0"],
    shift: true,
    action: { kind: "actual-size" },
    caps: ["Shift", "0"],
    label: "1:1, a film pixel on each of the screen's",
    group: "Film",
  },
  {
    codes: ["Equal", "NumpadAdd"],
    repeats: true,
    action: { kind: "zoom", factor: 1.2 },
    caps: ["+"],
    label: "Closer",
    group: "Film",
  },
  {
    codes: ["Minus", "NumpadSubtract"],
    repeats: true,
    action: { kind: "zoom", factor: 1 / 1.2 },
    caps: ["-"],
    label: "Further",
    group: "Film",
  },
  {
    codes: ["KeyZ"],
    control: true,
    shift: false,
    action: { kind: "undo" },
    caps: ["Ctrl", "Z"],
    label: "Undo",
    group: "Reading",
  },
  {
    codes: ["KeyY"],
    control: true,
    action: { kind: "redo" },
    caps: ["Ctrl", "Y"],
    label: "Redo",
    group: "Reading",
  },
  {
    codes: ["KeyZ"],
    control: true,
    shift: true,
    action: { kind: "redo" },
    caps: ["Ctrl", "Shift", "Z"],
    label: "Redo, the other way",
    group: "Reading",
  },
  {
    codes: ["Enter", "NumpadEnter"],
    control: true,
    action: { kind: "sign" },
    caps: ["Ctrl", "Enter"],
    label: "Sign and next",
    group: "Reading",
  },
  // Last of the plain keys, so that a key which a reader moved here before still does what it did.
  {
    codes: ["KeyH"],
    action: { kind: "report-name" },
    caps: ["H"],
    label: "This film shows a name …",
    group: "Reading",
  },
  {
    codes: ["KeyS"],
    action: { kind: "link-films" },
    caps: ["S"],
    label: "Other film and rated one zoom, pan and look alike together, or each by itself",
    group: "Film",
  },
  {
    codes: ["KeyQ"],
    action: { kind: "as-twin" },
    caps: ["Q"],
    label: "As in the other output",
    group: "Rate",
  },
  {
    codes: ["Period"],
    action: { kind: "next-disputed" },
    caps: ["."],
    label: "Next disputed item",
    group: "Walk",
  },
  {
    codes: ["Slash"],
    shift: true,
    action: { kind: "sheet" },
    caps: ["?"],
    label: "This sheet",
    group: "Reading",
  },
];

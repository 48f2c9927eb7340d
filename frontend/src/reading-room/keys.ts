/** The key map: one table, from which the keys work, the bottom bar and the sheet of shortcuts are made. */
import type { DragTool } from "../viewer/film";

export type Action =
  | { readonly kind: "points"; readonly points: number }
  | { readonly kind: "cannot-judge" }
  | { readonly kind: "verdict"; readonly verdict: "fits" | "wrong" }
  | { readonly kind: "redraw" }
  | { readonly kind: "walk"; readonly by: 1 | -1 }
  | { readonly kind: "next-region" }
  | { readonly kind: "swap" }
  | { readonly kind: "all-regions" }
  | { readonly kind: "hide-regions" }
  | { readonly kind: "nudge"; readonly x: number; readonly y: number }
  | { readonly kind: "tool"; readonly tool: DragTool }
  | { readonly kind: "zoom"; readonly factor: number }
  | { readonly kind: "invert" }
  | { readonly kind: "fit" }
  | { readonly kind: "preset" }
  | { readonly kind: "note" }
  | { readonly kind: "undo" }
  | { readonly kind: "cancel" }
  | { readonly kind: "sign" }
  | { readonly kind: "sheet" };

export interface Shortcut {
  /** KeyboardEvent.code: the key's place, so that every keyboard layout has the same reach. */
  readonly codes: readonly string[];
  readonly control?: boolean;
  readonly shift?: boolean;
  /** Acts again while the key is held. */
  readonly repeats?: boolean;
  readonly action: Action;
  readonly caps: readonly string[];
  readonly label: string;
  readonly group: "Rate" | "Walk" | "Regions" | "Film" | "Reading";
}

const points = (n: number): Shortcut => ({
  codes: [`Digit${n}`, `Numpad${n}`],
  action: { kind: "points", points: n },
  caps: ["1–5"],
  label: "Points",
  group: "Rate",
});

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

export const SHORTCUTS: readonly Shortcut[] = [
  ...[1, 2, 3, 4, 5].map(points),
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
  { codes: ["KeyT"], action: { kind: "note" }, caps: ["T"], label: "Note", group: "Rate" },
  { codes: ["KeyJ"], action: { kind: "walk", by: 1 }, caps: ["J"], label: "Next step", group: "Walk" },
  { codes: ["KeyK"], action: { kind: "walk", by: -1 }, caps: ["K"], label: "Previous", group: "Walk" },
  {
    codes: ["KeyG"],
    action: { kind: "next-region" },
    caps: ["G"],
    label: "Next region of the step",
    group: "Walk",
  },
  { codes: ["Tab"], action: { kind: "swap" }, caps: ["Tab"], label: "Swap A/B", group: "Walk" },
  { codes: ["KeyB"], action: { kind: "all-regions" }, caps: ["B"], label: "All regions", group: "Regions" },
  {
    codes: ["Space"],
    action: { kind: "hide-regions" },
    caps: ["Space"],
    label: "Hide regions while held",
    group: "Regions",
  },
  ...nudge("ArrowLeft", -1, 0),
  ...nudge("ArrowRight", 1, 0),
  ...nudge("ArrowUp", 0, -1),
  ...nudge("ArrowDown", 0, 1),
  {
    codes: ["Escape"],
    action: { kind: "cancel" },
    caps: ["Esc"],
    label: "Leave redrawing or a text field",
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
  { codes: ["KeyL"], action: { kind: "preset" }, caps: ["L"], label: "Next window preset", group: "Film" },
  { codes: ["KeyI"], action: { kind: "invert" }, caps: ["I"], label: "Invert", group: "Film" },
  { codes: ["Digit0", "Numpad0"], action: { kind: "fit" }, caps: ["0"], label: "Fit", group: "Film" },
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
    action: { kind: "undo" },
    caps: ["Ctrl", "Z"],
    label: "Undo",
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
  {
    codes: ["Slash"],
    shift: true,
    action: { kind: "sheet" },
    caps: ["?"],
    label: "This sheet",
    group: "Reading",
  },
];

/** What of a keyboard event the map needs. */
export interface Press {
  readonly code: string;
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly repeat: boolean;
  readonly isComposing: boolean;
}

/** The focused element, as far as it decides which keys are its own. */
export type Focus = "text" | "control" | "page";

const CONTROL_KEYS = new Set([
  "Tab",
  "Space",
  "Enter",
  "NumpadEnter",
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
]);

/** The action of a key press; null where the key belongs to the browser or to the focused element. */
export function actionFor(press: Press, focus: Focus, singleKeys: boolean): Action | null {
  if (press.isComposing || press.altKey) return null;
  const control = press.ctrlKey || press.metaKey;
  // A question mark lies elsewhere on other layouts, and whoever looks for help presses what is printed.
  const code = press.key === "?" ? "Slash" : press.code;
  const found = SHORTCUTS.find(
    (shortcut) =>
      shortcut.codes.includes(code) &&
      (shortcut.control ?? false) === control &&
      (control || (shortcut.shift ?? false) === press.shiftKey),
  );
  if (found === undefined || (press.repeat && !found.repeats)) return null;
  const { kind } = found.action;
  if (kind === "sign") return found.action;
  if (focus === "text") return kind === "cancel" ? found.action : null;
  if (focus === "control" && !control && CONTROL_KEYS.has(code)) return null;
  if (!singleKeys && !control && kind !== "cancel") return null;
  return found.action;
}

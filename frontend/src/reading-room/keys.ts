/** What a key press means: by its place on the keyboard, and by what has the focus. */
import type { Action } from "./actions";
import { SHORTCUTS, type Shortcut } from "./shortcuts";

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

/** The focused element, as far as it decides which keys are its own; "writing" is a text of the reader's own,
 * "beginning" one of which no word is written yet. */
export type Focus = "beginning" | "writing" | "text" | "choice" | "button" | "page";

const BUTTON_KEYS = ["Space", "Enter", "NumpadEnter"];
/** Of what the focused element needs itself. */
const OWN_KEYS: Partial<Record<Focus, ReadonlySet<string>>> = {
  button: new Set(BUTTON_KEYS),
  choice: new Set([...BUTTON_KEYS, "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]),
};

/** What a key does only while it is held: ends when it comes up. */
export function heldBy(code: string, shortcuts: readonly Shortcut[] = SHORTCUTS): Action[] {
  const held = shortcuts.filter(({ codes, action }) => codes.includes(code) && HELD.has(action.kind));
  return held.map(({ action }) => action);
}

const HELD: ReadonlySet<Action["kind"]> = new Set(["hide-regions", "magnify"]);

/** With Ctrl, Shift matters only where a shortcut says so. */
function isShiftRight({ control, shift }: Shortcut, press: Press): boolean {
  return shift === undefined ? control === true || !press.shiftKey : shift === press.shiftKey;
}

/** The action of a key press; null where the key belongs to the browser or to the focused element. */
export function actionFor(
  press: Press,
  focus: Focus,
  singleKeys: boolean,
  shortcuts: readonly Shortcut[] = SHORTCUTS,
): Action | null {
  if (press.isComposing) return null;
  const control = press.ctrlKey || press.metaKey;
  // A question mark lies elsewhere on other layouts, and whoever looks for help presses what is printed.
  const code = press.key === "?" ? "Slash" : press.code;
  const found = shortcuts.find(
    (shortcut) =>
      shortcut.codes.includes(code) &&
      (shortcut.control ?? false) === control &&
      (shortcut.alt ?? false) === press.altKey &&
      (press.key === "?" || isShiftRight(shortcut, press)),
  );
  if (found === undefined || (press.repeat && !found.repeats)) return null;
  const { kind } = found.action;
  if (kind === "sign") return found.action;
  if (focus === "beginning" && kind === "swap") return found.action;
  if (focus === "writing" || focus === "beginning")
    return kind === "cancel" || kind === "done" ? found.action : null;
  if (focus === "text") return kind === "cancel" ? found.action : null;
  if (!control && OWN_KEYS[focus]?.has(code)) return null;
  if (!singleKeys && !control && kind !== "cancel") return null;
  return found.action;
}

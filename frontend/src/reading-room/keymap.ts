/** Keys that a reader moved to another place: what they do there, and where two would meet. */
import { SHORTCUTS, type Shortcut } from "./shortcuts";

/** By the name of a shortcut, the place on the keyboard (KeyboardEvent.code) that it was moved to. */
export type Moved = Readonly<Record<string, string>>;

/** "verdict-fits", "walk-1", "note": stays the same where the words on the sheet change. */
export function nameOfShortcut({ action }: Shortcut): string {
  return Object.values(action).join("-");
}

const FIXED: ReadonlySet<string> = new Set(["points", "nudge", "resize", "done", "cancel", "sheet", "sign"]);

/** Digits, arrows, Escape and everything with Ctrl, Alt or Shift stay where they are. */
export function isMovable(shortcut: Shortcut): boolean {
  const isPlain = !shortcut.control && !shortcut.alt && !shortcut.shift;
  return isPlain && !FIXED.has(shortcut.action.kind);
}

const LETTER = /^Key([A-Z])$/;
const CAPS: Readonly<Record<string, string>> = {
  Backquote: "`",
  Minus: "-",
  Equal: "+",
  BracketLeft: "[",
  BracketRight: "]",
  Semicolon: ";",
  Quote: "'",
  Comma: ",",
  Period: ".",
  Backslash: "\\",
  IntlBackslash: "<",
  Space: "Space",
  Digit0: "0",
};

/** What is printed on the key of a US keyboard; null for a key that nothing can be moved to. */
export function capOf(code: string): string | null {
  return LETTER.exec(code)?.[1] ?? CAPS[code] ?? null;
}

export function shortcutsWith(moved: Moved): readonly Shortcut[] {
  return SHORTCUTS.map((shortcut) => {
    const code = isMovable(shortcut) ? moved[nameOfShortcut(shortcut)] : undefined;
    const cap = code === undefined ? null : capOf(code);
    return code === undefined || cap === null ? shortcut : { ...shortcut, codes: [code], caps: [cap] };
  });
}

/** Why a shortcut cannot lie on this key; null where it can. */
export function problemOf(moved: Moved, shortcut: Shortcut, code: string): string | null {
  const cap = capOf(code);
  if (cap === null) return "That key cannot be used: choose a letter, a sign or the space bar.";
  const others = shortcutsWith(moved).filter(
    (other) => isPlain(other) && nameOfShortcut(other) !== nameOfShortcut(shortcut),
  );
  const taken = others.find(({ codes }) => codes.includes(code));
  return taken ? `${cap} is taken by “${taken.label}”. Choose another key, or move that one first.` : null;
}

const isPlain = ({ control, alt, shift }: Shortcut): boolean => !control && !alt && !shift;

/** Back where it came from it need not be remembered. */
export function withMoved(moved: Moved, shortcut: Shortcut, code: string): Moved {
  const name = nameOfShortcut(shortcut);
  const { [name]: _, ...others } = moved;
  const own = SHORTCUTS.find((other) => nameOfShortcut(other) === name);
  return own?.codes.includes(code) ? others : { ...others, [name]: code };
}

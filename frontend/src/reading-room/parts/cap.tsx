import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { nameOfShortcut } from "../keymap";
import { SHORTCUTS, type Shortcut } from "../shortcuts";

/** The shortcuts as this reader has them. */
export const Shortcuts = createContext<readonly Shortcut[]>(SHORTCUTS);

/** The key of a shortcut by its name, wherever the reader has moved it. */
export function Cap({ of }: { readonly of: string }) {
  const shortcut = useContext(Shortcuts).find((each) => nameOfShortcut(each) === of);
  return shortcut ? <kbd>{shortcut.caps.join(" ")}</kbd> : null;
}

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { nameOfShortcut } from "../keymap";
import { SHORTCUTS, type Shortcut } from "../shortcuts";

/** The shortcuts as this reader has them. */
export const Shortcuts = createContext<readonly Shortcut[]>(SHORTCUTS);

/** The key of a shortcut by its name, wherever the reader has moved it. In a button that has a name of its own it is
 * no part of that name: whoever speaks to the page says the words alone. */
export function Cap({ of, isApart = false }: { readonly of: string; readonly isApart?: boolean }) {
  const shortcut = useContext(Shortcuts).find((each) => nameOfShortcut(each) === of);
  if (shortcut === undefined) return null;
  const cap = shortcut.caps.join(" ");
  return isApart ? <kbd data-cap={cap} /> : <kbd>{cap}</kbd>;
}

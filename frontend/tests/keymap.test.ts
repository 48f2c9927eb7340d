import { describe, expect, it } from "vitest";
import { isMovable, nameOfShortcut, problemOf, shortcutsWith, withMoved } from "../src/reading-room/keymap";
import { actionFor, heldBy, type Press } from "../src/reading-room/keys";
import { SHORTCUTS, type Shortcut } from "../src/reading-room/shortcuts";

const press = (code: string): Press => ({
  code,
  key: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
});

function named(name: string): Shortcut {
  const found = SHORTCUTS.find((shortcut) => nameOfShortcut(shortcut) === name);
  if (!found) throw new Error(`no shortcut ${name}`);
  return found;
}

describe("keys that were moved", () => {
  it("act at their new place and no longer at the old one, held ones too", () => {
    const shortcuts = shortcutsWith({ "verdict-fits": "KeyQ", "hide-regions": "KeyH" });
    const act = (code: string) => actionFor(press(code), "page", true, shortcuts);
    expect(act("KeyQ")).toEqual({ kind: "verdict", verdict: "fits" });
    expect(act("KeyF")).toBeNull();
    expect(heldBy("KeyH", shortcuts)).toEqual([{ kind: "hide-regions" }]);
    expect(heldBy("Space", shortcuts)).toEqual([]);
  });

  it("never meet: a key that is taken is refused by name, until the other one is moved away", () => {
    expect(problemOf({}, named("verdict-fits"), "KeyT")).toContain("T is taken by “Note”.");
    expect(problemOf({ note: "KeyQ" }, named("verdict-fits"), "KeyT")).toBeNull();
    expect(problemOf({ note: "KeyQ" }, named("verdict-fits"), "KeyQ")).toContain("“Note”");
    expect(problemOf({}, named("verdict-fits"), "KeyF")).toBeNull();
    for (const code of ["Digit4", "ArrowUp", "Enter", "F5", "Slash"]) {
      expect(problemOf({}, named("verdict-fits"), code)).toContain("cannot be used");
    }
  });

  it("are forgotten when they are back where they come from", () => {
    expect(withMoved({}, named("note"), "KeyQ")).toEqual({ note: "KeyQ" });
    expect(withMoved({ note: "KeyQ" }, named("note"), "KeyT")).toEqual({});
  });

  it("have names that the server takes, one for each movable shortcut", () => {
    const names = SHORTCUTS.filter(isMovable).map(nameOfShortcut);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(60);
  });
});

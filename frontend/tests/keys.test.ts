import { describe, expect, it } from "vitest";
import { actionFor, heldBy, type Press } from "../src/reading-room/keys";
import { SHORTCUTS } from "../src/reading-room/shortcuts";

const press = (code: string, part: Partial<Press> = {}): Press => ({
  code,
  key: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
  ...part,
});

describe("the key map", () => {
  it("gives no key two meanings", () => {
    const seen = SHORTCUTS.flatMap(({ codes, control = false, alt = false, shift = false }) =>
      codes.map((code) => `${control} ${alt} ${shift} ${code}`),
    );
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("goes by the key's place, whatever the layout prints there", () => {
    expect(actionFor(press("KeyJ", { key: "ж" }), "page", true)).toEqual({ kind: "walk", by: 1 });
  });

  it("rests while the reader types, but for signing and for leaving the field", () => {
    expect(actionFor(press("KeyX"), "text", true)).toBeNull();
    expect(actionFor(press("Digit4"), "text", true)).toBeNull();
    expect(actionFor(press("KeyZ", { ctrlKey: true }), "text", true)).toBeNull();
    expect(actionFor(press("Escape"), "text", true)?.kind).toBe("cancel");
    expect(actionFor(press("Enter", { ctrlKey: true }), "text", true)?.kind).toBe("sign");
  });

  it("turns a missed finding to the other output until its first letter", () => {
    expect(actionFor(press("Backquote"), "beginning", true)?.kind).toBe("swap");
    expect(actionFor(press("Backquote"), "writing", true)).toBeNull();
    expect(actionFor(press("KeyX"), "beginning", true)).toBeNull();
    expect(actionFor(press("Enter"), "beginning", true)?.kind).toBe("done");
  });

  it("is done with a text at Enter; with Shift, or while a word is composed, Enter is the field's own", () => {
    const enter = (part: Partial<Press>) => actionFor(press("Enter", part), "writing", false);
    expect(enter({})?.kind).toBe("done");
    expect(enter({ shiftKey: true })).toBeNull();
    expect(enter({ isComposing: true })).toBeNull();
    expect(enter({ ctrlKey: true })?.kind).toBe("sign");
    expect(actionFor(press("KeyD"), "writing", true)).toBeNull();
    expect(actionFor(press("Escape"), "writing", false)?.kind).toBe("cancel");
    expect(actionFor(press("Enter"), "text", true)).toBeNull();
  });

  it("leaves a focused element its own keys, and takes those that it has no use for", () => {
    for (const focus of ["button", "choice"] as const) {
      for (const code of ["Tab", "Space", "Enter"]) expect(actionFor(press(code), focus, true)).toBeNull();
      expect(actionFor(press("Digit4"), focus, true)?.kind).toBe("points");
      expect(actionFor(press("Backquote"), focus, true)?.kind).toBe("swap");
    }
    expect(actionFor(press("ArrowLeft"), "choice", true)).toBeNull();
    expect(actionFor(press("ArrowLeft"), "button", true)).toEqual(
      actionFor(press("ArrowLeft"), "page", true),
    );
    expect(actionFor(press("Tab"), "page", true)).toBeNull();
  });

  it("does not repeat a rating while its key is held, and leaves the browser its own combinations", () => {
    expect(actionFor(press("Digit4", { repeat: true }), "page", true)).toBeNull();
    expect(actionFor(press("ArrowLeft", { repeat: true }), "page", true)?.kind).toBe("nudge");
    expect(actionFor(press("KeyR", { ctrlKey: true }), "page", true)).toBeNull();
    expect(actionFor(press("KeyF", { altKey: true }), "page", true)).toBeNull();
    expect(actionFor(press("KeyF", { isComposing: true }), "page", true)).toBeNull();
  });

  it("can do without single keys", () => {
    expect(actionFor(press("KeyX"), "page", false)).toBeNull();
    expect(actionFor(press("Backquote"), "page", false)).toBeNull();
    expect(actionFor(press("Enter", { ctrlKey: true }), "page", false)?.kind).toBe("sign");
  });

  it("tells Ctrl Z from Ctrl Shift Z, and the edges of a region from the region", () => {
    const actionOf = (code: string, part: Partial<Press>) => actionFor(press(code, part), "page", true);
    expect(actionOf("KeyZ", { ctrlKey: true })).toEqual({ kind: "undo" });
    expect(actionOf("KeyZ", { ctrlKey: true, shiftKey: true })).toEqual({ kind: "redo" });
    expect(actionOf("KeyY", { ctrlKey: true })).toEqual({ kind: "redo" });
    expect(actionOf("ArrowUp", {})).toEqual({ kind: "nudge", x: 0, y: -1 });
    const end = { kind: "resize", corner: "end", x: 0, y: -1 };
    expect(actionOf("ArrowUp", { ctrlKey: true })).toEqual(end);
    expect(actionOf("ArrowUp", { altKey: true })).toEqual({ ...end, corner: "start" });
    expect(actionOf("ArrowUp", { altKey: true, shiftKey: true })).toEqual({
      ...end,
      corner: "start",
      y: -10,
    });
    expect(actionOf("KeyZ", { ctrlKey: true, altKey: true })).toBeNull();
    expect(actionOf("KeyF", { altKey: true })).toBeNull();
  });

  it("knows which keys act while they are held", () => {
    expect(heldBy("Space")).toEqual([{ kind: "hide-regions" }]);
    expect(heldBy("KeyV")).toEqual([{ kind: "magnify" }]);
    expect(heldBy("KeyJ")).toEqual([]);
  });

  it("finds the question mark wherever the layout has it", () => {
    expect(actionFor(press("Minus", { key: "?", shiftKey: true }), "page", true)?.kind).toBe("sheet");
    expect(actionFor(press("KeyM", { key: "?" }), "page", true)?.kind).toBe("sheet");
  });
});

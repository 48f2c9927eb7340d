import { describe, expect, it } from "vitest";
import { actionFor, type Press, SHORTCUTS } from "../src/reading-room/keys";

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
    const seen = SHORTCUTS.flatMap(({ codes, control = false, shift = false }) =>
      codes.map((code) => `${control} ${shift} ${code}`),
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

  it("leaves a focused control its own keys", () => {
    for (const code of ["Tab", "Space", "Enter", "ArrowLeft"]) {
      expect(actionFor(press(code), "control", true)).toBeNull();
    }
    expect(actionFor(press("Digit4"), "control", true)?.kind).toBe("points");
    expect(actionFor(press("Tab"), "page", true)?.kind).toBe("swap");
    expect(actionFor(press("Tab", { shiftKey: true }), "page", true)).toBeNull();
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
    expect(actionFor(press("Tab"), "page", false)).toBeNull();
    expect(actionFor(press("Enter", { ctrlKey: true }), "page", false)?.kind).toBe("sign");
  });

  it("finds the question mark wherever the layout has it", () => {
    expect(actionFor(press("Minus", { key: "?", shiftKey: true }), "page", true)?.kind).toBe("sheet");
  });
});

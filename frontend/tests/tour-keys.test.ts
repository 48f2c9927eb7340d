import { describe, expect, it } from "vitest";
import { meaningOf } from "../src/reading-room/tour-keys";

const plain = { ctrlKey: false, metaKey: false, altKey: false, repeat: false };

function typing() {
  const meaning = meaningOf();
  let timeStamp = 5_000;
  return (key: string, { after = 100, ...part }: Partial<KeyboardEvent> & { after?: number } = {}) => {
    timeStamp += after;
    return meaning({ ...plain, ...part, key, timeStamp });
  };
}

describe("a key while the tour is open", () => {
  it("goes on and back by arrows, and leaves Enter, Space, Tab and Escape to the browser", () => {
    const press = typing();
    expect([press("ArrowRight"), press("ArrowLeft"), press("?")]).toEqual(["on", "back", "sheet"]);
    for (const key of ["Enter", " ", "Tab", "Escape"]) expect(press(key)).toBe("button's");
  });

  it("is nothing where it is of words, with the spaces and ends of lines between them", () => {
    const press = typing();
    for (const key of [..."the heart is large?", "Enter", "4"]) expect(press(key)).toBe("nothing");
    expect(press("ArrowRight")).toBe("on");
    expect(press("Enter", { after: 900 })).toBe("button's");
  });

  it("is nothing while Enter is held down, and signs nothing", () => {
    const press = typing();
    expect(press("Enter", { repeat: true })).toBe("nothing");
    expect(press("Enter", { ctrlKey: true })).toBe("nothing");
  });
});

import { expect, it } from "vitest";
import { keepOpen } from "../src/kept-open";

/** As much of a page and of its storage as is used. */
function pageWith(...names: string[]) {
  const parts = names.map((name) =>
    Object.assign(new EventTarget(), { open: false, dataset: { keepsOpen: name } }),
  );
  return { parts, page: { querySelectorAll: () => parts } as unknown as Document };
}

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  } as unknown as Storage;
}

it("opens after a reload what was open before it, and nothing else", () => {
  const kept = storage();
  const load = () => {
    const { page, parts } = pageWith("one", "other");
    keepOpen(page, kept);
    return parts;
  };
  const turn = (part: ReturnType<typeof load>[number] | undefined, open: boolean): void => {
    if (part === undefined) throw new Error("no such part");
    part.open = open;
    part.dispatchEvent(new Event("toggle"));
  };
  turn(load()[0], true);
  expect(load().map(({ open }) => open)).toEqual([true, false]);
  turn(load()[0], false);
  expect(load().map(({ open }) => open)).toEqual([false, false]);
});

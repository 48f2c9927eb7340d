/** Two viewports in one place: the film that is read, and behind it the next one, decoded and drawn already. */
import type { FilmView } from "./film";
import { createFilmView } from "./view";

export interface FilmPair {
  /** The viewport that the reader sees. */
  front(): FilmView;
  /** The other one, made when first asked for. */
  behind(): FilmView;
  /** Swaps the two where `view` is the one behind. */
  bringToFront(view: FilmView): void;
  /** Takes both films off the screen and out of memory. */
  clear(): void;
  /** Called once for each viewport. */
  onMade(listener: (view: FilmView) => void): void;
  dispose(): void;
}

interface Place {
  readonly element: HTMLElement;
  readonly view: FilmView;
}

/** Fills `stage`. Both viewports have its size, so that a swap draws nothing anew. */
export function createFilmPair(stage: HTMLElement): FilmPair {
  const listeners: ((view: FilmView) => void)[] = [];
  const made: FilmView[] = [];
  let front = create(false);
  let back: Place | null = null;

  function create(isBehind: boolean): Place {
    const element = document.createElement("div");
    element.className = "film-side";
    stage.append(element);
    const place = { element, view: createFilmView(element) };
    put(place, isBehind);
    made.push(place.view);
    for (const listener of listeners) listener(place.view);
    return place;
  }

  function put({ element, view }: Place, isBehind: boolean): void {
    element.classList.toggle("behind", isBehind);
    // Neither pointer, keyboard nor screen reader finds the film behind.
    element.inert = isBehind;
    view.setBehind(isBehind);
  }

  return {
    front: () => front.view,
    behind() {
      back ??= create(true);
      return back.view;
    },
    bringToFront(view) {
      if (back === null || view !== back.view) return;
      const former = front;
      put(former, true);
      put(back, false);
      [front, back] = [back, former];
    },
    clear() {
      for (const view of made) view.clear();
    },
    onMade(listener) {
      listeners.push(listener);
      for (const view of made) listener(view);
    },
    dispose() {
      for (const view of made) view.dispose();
      stage.replaceChildren();
    },
  };
}

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { meaningOf } from "../tour-keys";
import { stopsOf, type TourPart, type TourPlace } from "../tour-stops";
import { Dialog } from "./dialog";

/** Where the card may lie: over the film, or over the column where the regions leave no room on it. */
const CORNERS = [
  "is-high is-left",
  "is-low is-left",
  "is-high is-right",
  "is-low is-right",
  "is-low is-beside",
  "is-high is-beside",
] as const;

type Corner = (typeof CORNERS)[number];

const SPOKEN_OF: Readonly<Record<TourPlace, string>> = {
  film: ".film-rated .region .outline",
  output: ".room-scroll",
  foot: ".room-foot",
  top: ".room-top",
};

/** Where it hides least of the regions on the film, and of what it speaks of. */
function clearestCorner(card: HTMLElement, now: Corner, place: TourPlace): Corner {
  const rectsOf = (selector: string): DOMRect[] =>
    [...document.querySelectorAll(selector)].map((each) => each.getBoundingClientRect());
  const [regions, spokenOf] = [rectsOf(SPOKEN_OF.film), rectsOf(SPOKEN_OF[place])];
  const turnTo = (from: Corner, to: Corner): void => {
    card.classList.remove(...from.split(" "));
    card.classList.add(...to.split(" "));
  };
  const hidden = (rects: readonly DOMRect[]): number => {
    const own = card.getBoundingClientRect();
    return rects.reduce((sum, rect) => sum + sharedArea(own, rect), 0);
  };
  let at = now;
  const seen = CORNERS.map((corner) => {
    turnTo(at, corner);
    at = corner;
    return { corner, worth: [hidden(regions), hidden(spokenOf)] as const };
  });
  turnTo(at, now);
  const isClearer = (one: readonly [number, number], other: readonly [number, number]): boolean =>
    one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
  return seen.reduce((best, one) => (isClearer(one.worth, best.worth) ? one : best)).corner;
}

function sharedArea(one: DOMRect, other: DOMRect): number {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(across, 0) * Math.max(down, 0);
}

/** The reading room in a minute, by keys or mouse. */
export function Tour(props: {
  readonly part: TourPart;
  readonly reading: Reading;
  readonly onPlace: (place: TourPlace | null) => void;
  onEnd: () => void;
  readonly onSheet: () => void;
}) {
  const next = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState(0);
  const [corner, setCorner] = useState<Corner>(CORNERS[0]);
  // As the case was when the tour began: no stop comes or goes meanwhile.
  const [stops] = useState(() => stopsOf(props.part, props.reading));
  const stop = stops[at];
  const lieClear = (): void => {
    const card = next.current?.closest("dialog");
    if (card?.open && stop) setCorner(clearestCorner(card, corner, stop.place));
  };
  useLayoutEffect(lieClear, [at]);
  useEffect(() => {
    next.current?.focus();
    // Open by now, so that it has a place.
    lieClear();
    return () => props.onPlace(null);
  }, []);
  useEffect(() => props.onPlace(stop?.place ?? null), [at]);
  const meaning = useRef(meaningOf());
  const go = (by: 1 | -1, close: () => void): void => {
    if (at + by >= stops.length) close();
    else setAt(Math.max(0, at + by));
  };
  return (
    <Dialog
      class={`tour at-${stop?.place} ${corner}`}
      title="tour-title"
      onClosed={props.onEnd}
      onKeyDown={(event, close) => {
        if (document.activeElement === document.body) next.current?.focus();
        const means = meaning.current(event);
        if (means === "button's") return;
        // Not the room's as well: the last of them closes the tour.
        event.preventDefault();
        if (means === "on" || means === "back") return go(means === "on" ? 1 : -1, close);
        if (means !== "sheet") return;
        close();
        props.onSheet();
      }}
    >
      {(close) => (
        <>
          <div aria-live="polite">
            <p class="quiet">
              Tour, {at + 1} of {stops.length}
            </p>
            <h2 id="tour-title">{stop?.title}</h2>
            <p>{stop?.text}</p>
          </div>
          <div class="toolbar">
            <button ref={next} type="button" class="button primary" onClick={() => go(1, close)}>
              {at + 1 < stops.length ? "Next" : "Begin to read"}
            </button>
            <button type="button" class="button" disabled={at === 0} onClick={() => go(-1, close)}>
              Back
            </button>
            <button type="button" class="button quiet" onClick={close}>
              Leave the tour <kbd>Esc</kbd>
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** Offered to whoever is new here, in the way of nothing; `isRest`: after the reveal, what there was nothing of yet. */
export function TourOffer(props: {
  readonly isRest: boolean;
  readonly onTake: () => void;
  readonly onLeave: () => void;
}) {
  const { isRest } = props;
  return (
    <section class="banner tour-offer" aria-label={isRest ? "The rest of the tour" : "New here?"}>
      <p>{isRest ? "How steps are rated is the rest of the tour." : "New here? It takes a minute."}</p>
      <button type="button" class="button" onClick={props.onTake}>
        {isRest ? "Go on with the tour" : "Take the tour"}
      </button>
      <button type="button" class="button quiet" onClick={props.onLeave}>
        Not now <kbd>Esc</kbd>
      </button>
    </section>
  );
}

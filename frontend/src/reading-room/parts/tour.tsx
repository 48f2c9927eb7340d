import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { meaningOf } from "../tour-keys";
import { Dialog } from "./dialog";

export type TourPlace = "film" | "output" | "foot" | "top";

interface Stop {
  readonly place: TourPlace;
  readonly title: string;
  readonly text: string;
}

const FILM =
  "Drag to window it, turn the wheel to zoom. V magnifies, M measures, O shows a lateral or a prior. If a film shows a name, H takes it out of use.";

const SAVING: Stop = {
  place: "top",
  title: "Nothing is lost",
  text: "Every key is saved at once, also without a network; the top bar says so. Ctrl Z takes anything back, Ctrl Y does it again.",
};

const RATING: readonly Stop[] = [
  {
    place: "output",
    title: "One step at a time",
    text: "1 to 5 says how plausible the step is, U that it cannot be judged. Its region is drawn on the film: F it fits, R redraw it (Enter: done), X it is wrong. When both are said, the next step has the focus by itself.",
  },
  {
    place: "output",
    title: "What the output should have said",
    text: "E edits a step or the answer, T writes a note, N names a finding that was missed. Enter ends a text; D draws where the finding is. B shows all regions, Space hides them while it is held.",
  },
  {
    place: "foot",
    title: "The answer, and two outputs",
    text: "After the steps the answer is rated with 1 to 5, its harm with 1 to 3. With two outputs the focus goes over to B by itself, and then to the votes: A, tie, B, both bad. C puts both side by side.",
  },
];

const SIGNING: Stop = {
  place: "foot",
  title: "Sign, and on",
  text: "Ctrl Enter signs and shows the next case. What is still open is named beside the button. ? shows every key, moves keys to where you want them, and this tour again.",
};

/** What there is to explain: all at once, or what comes before the outputs are shown, and after it. */
export type TourPart = "whole" | "first-read" | "after-reveal";

const STOPS_OF: Readonly<Record<TourPart, readonly Stop[]>> = {
  whole: [
    {
      place: "film",
      title: "The film",
      text: `${FILM} Where a first read is asked, say what you see before the outputs are shown.`,
    },
    ...RATING,
    SAVING,
    SIGNING,
  ],
  "first-read": [
    { place: "film", title: "The film", text: FILM },
    {
      place: "output",
      title: "First, what you see yourself",
      text: "What the model said is hidden until you have said what you see. The digits choose, J goes on: where findings are asked to a line of impression, which T writes, and then to how sure you are, 1 to 5. D draws where something is suspicious.",
    },
    SAVING,
    {
      place: "foot",
      title: "Lock it, and the outputs come",
      text: "Ctrl Enter locks your first read and shows the outputs. Then it stays as it is; Y adds that you changed your mind. The tour goes on there, with how steps are rated.",
    },
  ],
  "after-reveal": [...RATING, SIGNING],
};

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
  readonly onPlace: (place: TourPlace | null) => void;
  onEnd: () => void;
  readonly onSheet: () => void;
}) {
  const next = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState(0);
  const [corner, setCorner] = useState<Corner>(CORNERS[0]);
  const stops = STOPS_OF[props.part];
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
        Not now
      </button>
    </section>
  );
}

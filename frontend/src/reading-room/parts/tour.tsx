import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog";

export type TourPlace = "film" | "output" | "foot" | "top";

const STOPS: readonly { readonly place: TourPlace; readonly title: string; readonly text: string }[] = [
  {
    place: "film",
    title: "The film",
    text: "Drag to window it, turn the wheel to zoom. V magnifies, M measures, O shows a lateral or a prior. Where a first read is asked, say what you see before the outputs are shown. If a film shows a name, H takes it out of use.",
  },
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
  {
    place: "top",
    title: "Nothing is lost",
    text: "Every key is saved at once, also without a network; the top bar says so. Ctrl Z takes anything back, Ctrl Y does it again.",
  },
  {
    place: "foot",
    title: "Sign, and on",
    text: "Ctrl Enter signs and shows the next case. What is still open is named beside the button. ? shows every key, moves keys to where you want them, and this tour again.",
  },
];

/** The region that has the focus is in the upper half: then the card is below it. */
function isRegionHigh(): boolean {
  const outline = document.querySelector(".film-rated .region.focused .outline");
  if (outline === null) return false;
  const { top, bottom } = outline.getBoundingClientRect();
  return (top + bottom) / 2 < innerHeight / 2;
}

const TOUR_KEYS: ReadonlySet<string> = new Set(["ArrowRight", "ArrowLeft", "?"]);

/** The reading room in a minute, by keys or mouse. */
export function Tour(props: {
  readonly onPlace: (place: TourPlace | null) => void;
  onEnd: () => void;
  readonly onSheet: () => void;
}) {
  const next = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState(0);
  const [isLow, setLow] = useState(false);
  const stop = STOPS[at];
  useLayoutEffect(() => setLow(isRegionHigh()), [at]);
  useEffect(() => {
    next.current?.focus();
    return () => props.onPlace(null);
  }, []);
  useEffect(() => props.onPlace(stop?.place ?? null), [at]);
  const go = (by: 1 | -1, close: () => void): void => {
    if (at + by >= STOPS.length) close();
    else setAt(Math.max(0, at + by));
  };
  return (
    <Dialog
      class={`tour at-${stop?.place} ${isLow ? "is-low" : "is-high"}`}
      title="tour-title"
      onClosed={props.onEnd}
      onKeyDown={(event, close) => {
        if (!TOUR_KEYS.has(event.key)) return;
        // Not the room's as well: the last of them closes the tour.
        event.preventDefault();
        if (event.key !== "?") return go(event.key === "ArrowRight" ? 1 : -1, close);
        close();
        props.onSheet();
      }}
    >
      {(close) => (
        <>
          <div aria-live="polite">
            <p class="quiet">
              Tour, {at + 1} of {STOPS.length}
            </p>
            <h2 id="tour-title">{stop?.title}</h2>
            <p>{stop?.text}</p>
          </div>
          <div class="toolbar">
            <button ref={next} type="button" class="button primary" onClick={() => go(1, close)}>
              {at + 1 < STOPS.length ? "Next" : "Begin to read"}
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

/** Offered to whoever is new here, in the way of nothing. */
export function TourOffer(props: { readonly onTake: () => void; readonly onLeave: () => void }) {
  return (
    <section class="banner tour-offer" aria-label="New here?">
      <p>New here? It takes a minute.</p>
      <button type="button" class="button" onClick={props.onTake}>
        Take the tour
      </button>
      <button type="button" class="button quiet" onClick={props.onLeave}>
        Not now
      </button>
    </section>
  );
}

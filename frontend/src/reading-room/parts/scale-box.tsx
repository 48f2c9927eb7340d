import { alikeInWords } from "../alike";
import { findingTitle } from "../missed";
import { completionOn } from "../place";
import type { RoomState } from "../room-state";
import { chosenIn, endsOf, inWords, type Pointed, type Scale, scalesAt } from "../scales";
import { Cap } from "./cap";

/** Names the box for whatever it describes. */
export const SCALE_BOX = "scale-box";

/** What the values mean, where the reader is or points: always as high, so that nothing beside it ever moves. */
export function ScaleBox(props: {
  readonly state: RoomState;
  /** Every value is listed, not the chosen or pointed one alone. */
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}) {
  const { state, isOpen } = props;
  const { pointed, hint } = state;
  const scales = scalesAt(state.reading, state.place);
  return (
    <div class={`scale-box${isOpen ? " open" : ""}`}>
      <div class="scale-words" id={SCALE_BOX} tabIndex={isOpen ? 0 : undefined}>
        <p class="hint" role="status">
          {hint}
        </p>
        {isOpen && scales.length > 0 ? (
          <div class="scale-lists">
            {scales.map((scale) => (
              <AllValues key={scale.name} scale={scale} pointed={pointed} />
            ))}
          </div>
        ) : (
          linesOf(state, scales)
            .slice(0, hint === null ? 2 : 1)
            .map(({ name, words }) => (
              <p key={name} class="scale-line">
                {name && <strong>{name}</strong>} {words}
              </p>
            ))
        )}
      </div>
      <button
        type="button"
        class="inline"
        aria-label="values: what all of them mean"
        aria-expanded={isOpen}
        aria-controls={SCALE_BOX}
        onClick={props.onToggle}
      >
        values <Cap of="scales" isApart />
      </button>
    </div>
  );
}

interface Line {
  readonly name: string;
  readonly words: string;
}

/** Two at most. */
function linesOf({ reading, place, pointed }: RoomState, scales: readonly Scale[]): Line[] {
  if (pointed !== null) {
    return [
      { name: pointed.name, words: pointed.question },
      { name: pointed.label, words: pointed.anchor },
    ];
  }
  const [only, ...others] = scales;
  if (only === undefined) {
    if (place.kind !== "finding") return [];
    const completion = completionOn(reading, place.side)?.uid ?? "";
    return [
      {
        name: findingTitle(reading, place.finding, completion),
        words: "Say it, and draw where. Enter goes on.",
      },
    ];
  }
  if (others.length === 0) {
    const alike = place.kind === "vote" ? alikeInWords(reading) : "";
    const values = chosenIn(only) ?? endsOf(only) ?? "";
    const also = [alike, values].filter(Boolean).join(" ");
    return [{ name: only.name, words: only.question }, ...(also ? [{ name: "", words: also }] : [])];
  }
  return scales.map((scale) => ({ name: scale.name, words: chosenIn(scale) ?? scale.question }));
}

function AllValues({ scale, pointed }: { readonly scale: Scale; readonly pointed: Pointed | null }) {
  const { name, question, values } = scale;
  return (
    <section>
      <p>
        <strong>{name}</strong> {question}
      </p>
      <ul>
        {values.map((value) => (
          <li
            key={value.label}
            class={`${value.isChosen ? "chosen" : ""}${
              pointed?.name === name && pointed.label === value.label ? " pointed" : ""
            }`}
          >
            {inWords(value)}
            {value.isChosen && <span class="visually-hidden"> (chosen)</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { AskedCriterion, Disputed, Reading } from "../../api/reading";
import { dashOf } from "../../viewer/film";
import { hasDisputes, isDisputed } from "../disputes";
import { type EarlierWord, earlierAnswers } from "../earlier";
import type { Question } from "../questions";

/** What earlier readers said, side by side, on an adjudication alone. */
export function Earlier({ words }: { readonly words: readonly EarlierWord[] }) {
  if (words.length === 0) return null;
  return (
    <ul class="earlier" aria-label="Earlier readings">
      {words.map(({ label, said, drawn }, index) => (
        <li key={index}>
          <span class="quiet">{label}</span> {drawn !== null && <Dash reader={drawn} />} {said}
        </li>
      ))}
    </ul>
  );
}

/** On an adjudication, beside each thing that is asked. */
export function Standing({ reading, item }: { readonly reading: Reading; readonly item: Partial<Disputed> }) {
  if (!hasDisputes(reading)) return null;
  return isDisputed(reading, item) ? (
    <span class="chip warn standing" title="The readers lie far apart: it needs your word.">
      disputed
    </span>
  ) : (
    <span
      class="chip quiet standing"
      title="The readers agree, or nearly: their word stands unless you say otherwise."
    >
      not disputed
    </span>
  );
}

/** Beside what a judge is asked outright. */
export function InDoubt({ criterion }: { readonly criterion: AskedCriterion }) {
  return criterion.finding === "" ? null : (
    <span
      class="chip warn standing"
      title="An output names it and a reader struck it out, perhaps by oversight: your answer decides."
    >
      in doubt
    </span>
  );
}

/** As this reader's regions are drawn on the film. */
function Dash({ reader }: { readonly reader: number }) {
  return (
    <svg
      class={`dash-sample reader-${dashOf(reader)}`}
      viewBox="0 0 34 8"
      width="34"
      height="8"
      aria-hidden="true"
    >
      <line class="outline" x1="1" y1="4" x2="33" y2="4" />
    </svg>
  );
}

export function EarlierAnswers(props: { readonly reading: Reading; readonly question: Question }) {
  return <Earlier words={earlierAnswers(props.reading, props.question)} />;
}

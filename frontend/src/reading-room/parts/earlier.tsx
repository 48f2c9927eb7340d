import type { Reading } from "../../api/reading";
import { type EarlierWord, earlierAnswers } from "../earlier";
import type { Question } from "../questions";

/** What earlier readers said, side by side, on an adjudication alone. */
export function Earlier({ words }: { readonly words: readonly EarlierWord[] }) {
  if (words.length === 0) return null;
  return (
    <ul class="earlier" aria-label="Earlier readings">
      {words.map(({ label, said }, index) => (
        <li key={index}>
          <span class="quiet">{label}</span> {said}
        </li>
      ))}
    </ul>
  );
}

export function EarlierAnswers(props: { readonly reading: Reading; readonly question: Question }) {
  return <Earlier words={earlierAnswers(props.reading, props.question)} />;
}

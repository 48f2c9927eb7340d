import type { ComponentChildren } from "preact";

export interface Choice<Value> {
  readonly value: Value;
  readonly label: ComponentChildren;
  /** What a screen reader says, where the label alone is too short. */
  readonly name?: string;
  readonly tone?: "good" | "warn" | "bad";
}

/** One question with one answer: a native radio group that looks like a row of segments. */
export function Segments<Value extends string | number>(props: {
  readonly name: string;
  readonly title: string;
  readonly choices: readonly Choice<Value>[];
  readonly value: Value | null;
  readonly disabled: boolean;
  readonly onChoose: (value: Value) => void;
}) {
  return (
    <fieldset class="segments" disabled={props.disabled}>
      <legend class="visually-hidden">{props.title}</legend>
      {props.choices.map((choice) => (
        <label key={choice.value} class={choice.tone ?? ""} title={choice.name}>
          <input
            type="radio"
            name={props.name}
            aria-label={choice.name}
            checked={props.value === choice.value}
            onChange={() => props.onChoose(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export const FIVE: readonly Choice<number>[] = [1, 2, 3, 4, 5].map((value) => ({ value, label: value }));

import type { ComponentChildren } from "preact";

export interface Choice<Value> {
  readonly value: Value;
  readonly label: ComponentChildren;
  /** What a screen reader says, where the label alone is too short. */
  readonly name?: string;
  /** What is meant by it, for whoever points at it. */
  readonly hint?: string;
  readonly tone?: "good" | "warn" | "bad";
  /** The key that chooses it, where the label does not say it already. */
  readonly cap?: string | null;
}

/** One question: a native group of radio buttons, or of check boxes, that looks like a row of segments. */
export function Segments<Value extends string | number>(props: {
  readonly name: string;
  readonly title: string;
  readonly choices: readonly Choice<Value>[];
  /** What is chosen; of several choices, all that are. */
  readonly value: Value | readonly Value[] | null;
  readonly disabled: boolean;
  readonly isOfSeveral?: boolean;
  readonly onChoose: (value: Value) => void;
}) {
  const { value, isOfSeveral } = props;
  const isChosen = (one: Value): boolean => (Array.isArray(value) ? value.includes(one) : value === one);
  return (
    <fieldset class={`segments${isOfSeveral ? " several" : ""}`} disabled={props.disabled}>
      <legend class="visually-hidden">{props.title}</legend>
      {props.choices.map((choice) => (
        <label key={choice.value} class={choice.tone ?? ""} title={choice.hint ?? choice.name}>
          <input
            type={isOfSeveral ? "checkbox" : "radio"}
            name={props.name}
            aria-label={choice.name}
            checked={isChosen(choice.value)}
            onChange={() => props.onChoose(choice.value)}
          />
          <span>
            {choice.cap && (
              <small class="cap" aria-hidden="true">
                {choice.cap}
              </small>
            )}
            {choice.label}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export const FIVE: readonly Choice<number>[] = [1, 2, 3, 4, 5].map((value) => ({ value, label: value }));

import type { ComponentChildren } from "preact";

export interface Choice<Value> {
  readonly value: Value;
  readonly label: ComponentChildren;
  /** What a screen reader says, where the label alone is too short. */
  readonly name?: string;
  /** What is meant by it, in words that a screen reader says too. */
  readonly anchor?: string;
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
  /** The pointer or the focus is on a choice; null: on none any more. */
  readonly onPoint?: (choice: Choice<Value> | null) => void;
}) {
  const { value, isOfSeveral } = props;
  const anchorId = (at: number): string => `${props.name}-anchor-${at}`;
  const isChosen = (one: Value): boolean => (Array.isArray(value) ? value.includes(one) : value === one);
  return (
    <fieldset class={`segments${isOfSeveral ? " several" : ""}`} disabled={props.disabled}>
      <legend class="visually-hidden">{props.title}</legend>
      {/* Beside the labels: within one it would be a part of the name. */}
      {props.choices.map(
        ({ anchor }, at) =>
          anchor && (
            <span key={at} id={anchorId(at)} hidden>
              {anchor}
            </span>
          ),
      )}
      {props.choices.map((choice, at) => (
        <label
          key={choice.value}
          class={choice.tone ?? ""}
          title={choice.anchor ? undefined : choice.name}
          onMouseEnter={() => props.onPoint?.(choice)}
          onMouseLeave={() => props.onPoint?.(null)}
        >
          <input
            type={isOfSeveral ? "checkbox" : "radio"}
            name={props.name}
            aria-label={choice.name}
            aria-describedby={choice.anchor ? anchorId(at) : undefined}
            checked={isChosen(choice.value)}
            // Not its change: what the click itself redraws unchecks the box before a change is told.
            onClick={() => props.onChoose(choice.value)}
            onFocus={() => props.onPoint?.(choice)}
            onBlur={() => props.onPoint?.(null)}
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

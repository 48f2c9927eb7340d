import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Side } from "../../api/reading";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { isSameField, textIn, type Writing } from "../writing";
import { Cap } from "./cap";

interface Props {
  readonly room: Room;
  readonly state: RoomState;
  readonly writing: Writing;
  readonly label: string;
  readonly placeholder: string;
  readonly maxLength: number;
  /** What follows "done", in the line of the keys below. */
  readonly then?: ComponentChildren;
  /** The output that it is about, where the case has two. */
  readonly of?: Side | undefined;
  /** While nothing is written, a key says it of this output instead: "B". */
  readonly other?: string | undefined;
}

/** A text of the reader's own: a field while it is written, else what was written. */
export function TextField(props: Props) {
  const { room, state, writing } = props;
  if (!isSameField(state.writing, writing)) return null;
  return <Field key={props.label} {...props} room={room} />;
}

function Field({ room, state, writing, label, placeholder, maxLength, then, of, other }: Props) {
  const keys = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  // Before the next key, which is a letter already.
  useLayoutEffect(() => {
    field.current?.focus();
    // Whoever opens a text goes on with it.
    const end = field.current?.value.length ?? 0;
    field.current?.setSelectionRange(end, end);
    (field.current?.nextElementSibling ?? field.current)?.scrollIntoView({ block: "nearest" });
    field.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <>
      <textarea
        ref={field}
        class={`note-field${other ? " of-an-output" : ""}${of ? ` of-${of}` : ""}`}
        aria-label={label}
        aria-describedby={keys}
        placeholder={placeholder}
        rows={2}
        maxLength={maxLength}
        onInput={(event) => room.texts.write(writing, event.currentTarget.value)}
        onBlur={() => room.texts.end(writing)}
        defaultValue={textIn(state.reading, writing)}
      />
      <p id={keys} class={`field-keys quiet${of ? ` of-${of}` : ""}`}>
        {of && (
          <>
            <strong>Output {of.toUpperCase()}</strong> ·{" "}
          </>
        )}
        {other && (
          <>
            <Cap of="swap" /> first: for output {other} ·{" "}
          </>
        )}
        <kbd>Enter</kbd> done{then} · <kbd>Shift Enter</kbd> new line · <kbd>Esc</kbd> back, text kept
      </p>
    </>
  );
}

/** What opens a text field by mouse; its key stands beside it. */
export function WriteButton(props: {
  readonly name: string;
  readonly label: string;
  /** By its name. */
  readonly shortcut: string;
  readonly onClick: () => void;
}) {
  // Whoever speaks to the page says what is written on the button.
  const isSaid = props.label.toLowerCase().includes(props.name.toLowerCase());
  const label = isSaid ? props.label : `${props.name}: ${props.label}`;
  return (
    <button type="button" class="inline note-button" aria-label={label} onClick={props.onClick}>
      {props.name} <Cap of={props.shortcut} isApart />
    </button>
  );
}

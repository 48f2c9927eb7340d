import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { clock, day } from "../../moments";
import { type DigitKeys, digitsAt, keysAt, NUM_PLAIN_DIGITS, whyKeysRest } from "../keys-in-use";
import type { RoomState } from "../room-state";
import type { SaveState } from "../save-state";
import type { Shortcut } from "../shortcuts";

export function duration(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${two(Math.floor(seconds / 60))}:${two(Math.floor(seconds) % 60)}`;
}

/** Full once the last one is signed. */
function numBehind({ position, signed_at }: Reading): number {
  return signed_at === null ? position - 1 : position;
}

function SaveStatus({ save }: { readonly save: SaveState }) {
  if (save.problem?.kind === "over") {
    return <span class="save bad">{save.numWaiting === 0 ? "Closed" : "Closed: not saved"}</span>;
  }
  if (save.problem) return <span class="save bad">Not saved: {save.numWaiting} waiting</span>;
  if (save.numWaiting > 0) return <span class="save quiet">Saving…</span>;
  if (save.savedAt === null) return <span class="save quiet">Nothing to save yet</span>;
  return <span class="save good">Saved {clock(save.savedAt)}</span>;
}

/** Where no case is open. */
export function BareTopBar({ worklistUrl }: { readonly worklistUrl: string }) {
  return (
    <header class="room-top">
      <a class="brand" href={worklistUrl}>
        DeepMedix Review
      </a>
      <a class="button quiet" href={worklistUrl}>
        Worklist
      </a>
    </header>
  );
}

/** Where it is cut, the pointer and the focus show all of it. */
function StudyTitle({ title }: { readonly title: string }) {
  const shown = useRef<HTMLSpanElement>(null);
  const [isCut, setCut] = useState(false);
  useLayoutEffect(() => {
    const element = shown.current;
    if (element === null) return;
    const measure = new ResizeObserver(() => setCut(element.scrollWidth > element.clientWidth));
    measure.observe(element);
    return () => measure.disconnect();
  }, [title]);
  return (
    <span class={`study-title${isCut ? " cut" : ""}`} tabIndex={isCut ? 0 : undefined}>
      <span ref={shown} class="quiet shown">
        {title}
      </span>
      {isCut && (
        <span class="whole" aria-hidden="true">
          {title}
        </span>
      )}
    </span>
  );
}

export function TopBar(props: {
  readonly reading: Reading;
  readonly save: SaveState;
  readonly seconds: number;
  readonly worklistUrl: string;
  readonly onHelp: () => void;
  /** What is said of other cases than this one. */
  readonly children?: ComponentChildren;
}) {
  const { reading } = props;
  return (
    <header class="room-top">
      <a class="brand" href={props.worklistUrl} title="Back to the worklist">
        DeepMedix Review
      </a>
      <a class="button quiet" href={props.worklistUrl}>
        Worklist
      </a>
      <StudyTitle title={`${reading.reader_study} · blinded`} />
      {reading.is_training && <span class="chip quiet">practice case</span>}
      {reading.is_adjudication && <span class="chip quiet">to settle</span>}
      {reading.deadline && <span class="quiet hides-narrow">until {day(reading.deadline)}</span>}
      {reading.num_cases !== null && (
        <progress
          value={numBehind(reading)}
          max={reading.num_cases}
          aria-label="Progress through the cases"
        />
      )}
      <span>
        Case {reading.position}
        {reading.num_cases !== null && ` of ${reading.num_cases}`}
        {reading.may_be_more_cases && " or more"}
      </span>
      <span class="grow" />
      {props.children}
      <span role="status">
        <SaveStatus save={props.save} />
      </span>
      <span class="quiet" title="Time at work on this case">
        {duration(props.seconds)} on case
      </span>
      <button type="button" class="button quiet" onClick={props.onHelp}>
        Shortcuts <kbd>?</kbd>
      </button>
    </header>
  );
}

/** The digits that choose or rate; of a list of more than nine, with Shift from the tenth on. */
function Digits({ does, num }: DigitKeys) {
  return (
    <span>
      {does} <kbd>1</kbd>–<kbd>{Math.min(NUM_PLAIN_DIGITS, num)}</kbd>
      {num > NUM_PLAIN_DIGITS && (
        <>
          {" "}
          <kbd>Shift</kbd> <kbd>1</kbd>–<kbd>{num - NUM_PLAIN_DIGITS}</kbd>
        </>
      )}
    </span>
  );
}

export function BottomBar(props: {
  /** Null where no case is open. */
  readonly state: RoomState | null;
  readonly singleKeys: boolean;
  readonly shortcuts: readonly Shortcut[];
}) {
  const { state, singleKeys, shortcuts } = props;
  const shown = (state === null ? [] : keysAt(state)).flatMap(
    (label) => shortcuts.find((shortcut) => shortcut.label === label) ?? [],
  );
  const digits = state && digitsAt(state);
  const resting = state && whyKeysRest(state);
  return (
    <footer class="room-bottom">
      {state === null ? null : resting !== null ? (
        <span>{resting}</span>
      ) : singleKeys ? (
        <span class="keys">
          {digits && <Digits {...digits} />}
          {shown.map((shortcut) => (
            <span key={shortcut.label}>
              {shortcut.label}{" "}
              {shortcut.caps.map((cap) => (
                <kbd key={cap}>{cap}</kbd>
              ))}
            </span>
          ))}
        </span>
      ) : (
        <span>Single keys are off. The sheet of shortcuts switches them on.</span>
      )}
      <span class="grow" />
      <strong>For research, not for diagnosis.</strong>
    </footer>
  );
}

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { clock, day } from "../../moments";
import { hasTwo } from "../place";
import { builtIn } from "../questions";
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
  if (save.problem?.kind === "over") return <span class="save bad">Closed: not saved</span>;
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
      <progress value={numBehind(reading)} max={reading.num_cases} aria-label="Progress through the cases" />
      <span>
        Case {reading.position} of {reading.num_cases}
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

const WALK = ["Next item", "Previous item"];

/** What has its key beside it on a card is not told twice. */
function keysFor(reading: Reading): readonly string[] {
  const swap = hasTwo(reading) ? ["Swap A/B"] : [];
  if (reading.signed_at !== null) return [...WALK, ...swap, "All regions", "Next region of the step"];
  if (reading.stage === "first_read") {
    const note = reading.first_read?.form === "findings" ? ["Note"] : [];
    return [...note, "Draw a further region here", ...WALK, "Undo"];
  }
  const judge = builtIn(reading, "verdict") ? ["Region fits", "Redraw region", "Region wrong"] : [];
  const pass = builtIn(reading, "plausibility") ? ["Cannot judge"] : [];
  return [...WALK, ...swap, ...judge, ...pass, "Missed finding", "Undo"];
}

const NUM_PLAIN_DIGITS = 9;

/** The digits that choose or rate; of a list of more than nine, with Shift from the tenth on. */
function Digits({ reading }: { readonly reading: Reading }) {
  if (reading.stage !== "first_read") {
    return (
      <span>
        Rate <kbd>1</kbd>–<kbd>5</kbd>
      </span>
    );
  }
  const { choices = [], findings_offered = [] } = reading.first_read ?? {};
  const numOffered = choices.length || findings_offered.length;
  return (
    <span>
      Choose <kbd>1</kbd>–<kbd>{Math.min(NUM_PLAIN_DIGITS, numOffered)}</kbd>
      {numOffered > NUM_PLAIN_DIGITS && (
        <>
          {" "}
          <kbd>Shift</kbd> <kbd>1</kbd>–<kbd>{numOffered - NUM_PLAIN_DIGITS}</kbd>
        </>
      )}
    </span>
  );
}

export function BottomBar(props: {
  readonly reading: Reading | null;
  readonly isWriting: boolean;
  readonly singleKeys: boolean;
  readonly shortcuts: readonly Shortcut[];
}) {
  const { reading, singleKeys, shortcuts } = props;
  const shown = (reading === null ? [] : keysFor(reading)).flatMap(
    (label) => shortcuts.find((shortcut) => shortcut.label === label) ?? [],
  );
  return (
    <footer class="room-bottom">
      {reading === null ? null : props.isWriting ? (
        <span>Single keys rest while you write.</span>
      ) : singleKeys ? (
        <span class="keys">
          {reading.signed_at === null && <Digits reading={reading} />}
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

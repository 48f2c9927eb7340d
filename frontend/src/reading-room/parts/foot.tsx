import { useEffect, useRef } from "preact/hooks";
import type { Reading } from "../../api/reading";
import { inOneLine } from "../contradictions";
import { allSaid, hasDisputes } from "../disputes";
import { type Gap, gaps, leftToDo } from "../gaps";
import { missedInWords } from "../missed";
import { notSaidInWords, placeOfNotSaid } from "../not-said";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { showCurrentItem } from "../scrolling";
import type { Session } from "../session";
import type { SessionState } from "../session-state";
import { placeOfStillSaid, stillSaidInWords } from "../still-said";
import { Votes } from "./common-questions";
import { ScaleBox } from "./scale-box";

interface Props {
  readonly session: Session;
  readonly state: SessionState;
  readonly room: Room;
  readonly roomState: RoomState;
  readonly showsScales: boolean;
  readonly onToggleScales: () => void;
}

/** Always in sight below the outputs: what the values mean, the votes, the signature, and what it still lacks. */
export function Foot(props: Props) {
  const { session, state, room, roomState } = props;
  const { reading } = roomState;
  const isFirst = reading.stage === "first_read";
  const sign = (event: MouseEvent): void => {
    // The second half of a double click would sign the case that came meanwhile.
    if (event.detail < 2) void session.sign().then(showCurrentItem);
  };
  return (
    <div class={`room-foot${isFirst ? " first" : ""}`}>
      <ScaleBox state={roomState} isOpen={props.showsScales} onToggle={props.onToggleScales} />
      {!isFirst && <Votes room={room} state={roomState} />}
      {reading.signed_at !== null && reading.next !== null && (
        <div class="sign">
          <button type="button" class="button primary" disabled={state.isSigning} onClick={sign}>
            Next case <kbd>Ctrl Enter</kbd>
          </button>
          <Left {...props} />
        </div>
      )}
      {reading.signed_at === null && (
        <div class="sign">
          <button
            type="button"
            class="button primary"
            aria-disabled={gaps(reading).length > 0 || !room.canRate}
            disabled={state.isSigning}
            onClick={sign}
          >
            {nameOfSigning(reading, state.isSigning)} <kbd>Ctrl Enter</kbd>
          </button>
          <Left {...props} />
        </div>
      )}
      <p class="visually-hidden" role="alert">
        {state.refusal}
        {state.doubts.length > 0 && `${inOneLine(state.doubts)} Signing again goes through.`}
      </p>
    </div>
  );
}

function nameOfSigning(
  { stage, is_adjudication, amends_signed_at: amends }: Reading,
  isUnderWay: boolean,
): string {
  if (stage === "first_read") {
    if (isUnderWay) return "Locking…";
    return is_adjudication ? "Lock and show it all" : "Lock and show the outputs";
  }
  if (isUnderWay) return "Signing…";
  return amends === null ? "Sign and next" : "Sign the amendment";
}

/** Not a refusal: `Enter` or a click goes there, and the next signature is one. */
function Doubts({ room, doubts }: { readonly room: Room; readonly doubts: readonly Gap[] }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  const [first] = doubts;
  return (
    <button
      ref={button}
      type="button"
      class="left doubts"
      title={doubts.map(({ name }) => name).join("\n")}
      onClick={() => {
        if (first) room.goTo(first.place);
        showCurrentItem();
      }}
    >
      {inOneLine(doubts)} <kbd>Enter</kbd> goes there. Meant so? Sign again.
    </button>
  );
}

/** Nothing is left. What the answer should perhaps not say, or say besides, is in nobody's way. */
function Ready({
  room,
  reading,
  isLate,
}: {
  readonly room: Room;
  readonly reading: Reading;
  readonly isLate: boolean;
}) {
  if (reading.stage === "first_read") {
    return (
      <p class="left quiet">
        {isLate
          ? "Locked once the server can be reached; the outputs come then. The film can be looked at meanwhile."
          : "Your first read can be locked."}
      </p>
    );
  }
  const disagreement = stillSaidInWords(reading) || notSaidInWords(reading);
  const place = placeOfStillSaid(reading) ?? placeOfNotSaid(reading);
  if (disagreement === "") {
    return <p class="left quiet">{[allSaid(reading), missedInWords(reading)].join(" ")}</p>;
  }
  const said = `${hasDisputes(reading) ? "All settled." : "All rated."} ${disagreement}`;
  if (place === null) return <p class="left quiet">{said}</p>;
  return (
    <button
      type="button"
      class="left quiet cut"
      title={`${said} Goes there.`}
      onClick={() => room.goTo(place)}
    >
      <span>{said}</span>
    </button>
  );
}

/** Beside the button: what is left, or why it was refused; both in one place, so that no row of the foot moves. */
function Left({ state, room, roomState }: Props) {
  const { reading } = roomState;
  const { refusal } = state;
  const left = gaps(reading);
  if (reading.signed_at !== null || left.length === 0) {
    if (refusal !== null) return <p class="left refusal">{refusal}</p>;
    if (reading.signed_at !== null || room.isOver) return null;
    if (state.doubts.length > 0) return <Doubts room={room} doubts={state.doubts} />;
    const isLate = state.isSigning && state.stage.kind === "open" && state.stage.save.problem !== null;
    return <Ready room={room} reading={reading} isLate={isLate} />;
  }
  return (
    <button
      type="button"
      class={`left${refusal === null ? "" : " refusal"}`}
      title={`Goes to the first of: ${left.map((gap) => gap.name).join(", ")}`}
      onClick={() => {
        room.walking.goToFirstGap();
        showCurrentItem();
      }}
    >
      {`${refusal === null ? "" : "Not yet. "}To do: ${leftToDo(reading)}`}
    </button>
  );
}

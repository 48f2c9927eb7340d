import type { Completion } from "../../api/reading";
import { earlierFindings } from "../earlier";
import {
  findingName,
  findingTitle,
  knownFindingName,
  markOfFinding,
  numberOf,
  ofOutput,
  sideName,
} from "../missed";
import { isMissedByOneAlone, ofOther } from "../missed-by-both";
import { otherSide, type Place } from "../place";
import { colourOfFinding } from "../region-items";
import { missedFinding } from "../regions";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { focusCurrentItem } from "../scrolling";
import { isSameField, type Writing } from "../writing";
import { Cap } from "./cap";
import { Earlier } from "./earlier";
import { Item } from "./item";
import { RegionsHere } from "./own-regions";
import { TextField, WriteButton } from "./text-field";

const MOST_LETTERS = 1000;

/** Findings that an output should have named, each with its regions where the reader draws some. */
export function MissedFindings(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly completion: Completion;
}) {
  const { room, state, completion } = props;
  const { reading } = state;
  const side = sideName(reading, completion.uid);
  const said = side ? `${side} missed a finding` : "missed finding";
  const own = reading.missed_findings.filter((finding) => finding.completion === completion.uid);
  const fresh = state.writing?.field === "finding" ? state.writing : null;
  const isNew =
    fresh !== null && fresh.completion === completion.uid && !own.some(({ uid }) => uid === fresh.uid);
  const uids = [...own.map(({ uid }) => uid), ...(isNew ? [fresh.uid] : [])];
  return (
    <div class="missed">
      {uids.map((uid) => (
        <Finding
          key={uid}
          room={room}
          state={state}
          completion={completion}
          uid={uid}
          text={own.find((finding) => finding.uid === uid)?.text ?? ""}
        />
      ))}
      <Earlier words={earlierFindings(reading, completion.uid)} />
      {room.canRate && (
        <button
          type="button"
          class="inline"
          aria-label={`${said}: add a missed finding${ofOutput(reading, completion.uid)}`}
          onClick={() => room.texts.startFinding(completion.side)}
        >
          {said} <Cap of="missed-finding" isApart />
        </button>
      )}
    </div>
  );
}

function Finding(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly completion: Completion;
  readonly uid: string;
  readonly text: string;
}) {
  const { room, state, completion, uid, text } = props;
  const name = findingName(state.reading, uid, completion.uid);
  const side = sideName(state.reading, completion.uid);
  const place: Place = { kind: "finding", side: completion.side, finding: uid };
  const writing: Writing = { field: "finding", uid, completion: completion.uid };
  const finding = missedFinding(state.reading, uid);
  const isCurrent = state.place.kind === "finding" && state.place.finding === uid;
  const both = `${otherSide(completion.side).toUpperCase()} too`;
  const same = finding && ofOther(state.reading, finding);
  const isDrawn = state.reading.drawn_regions.some(({ missed_finding }) => missed_finding === uid);
  return (
    <Item
      label={findingTitle(state.reading, uid, completion.uid)}
      class={finding ? `row finding s${colourOfFinding(state.reading, finding)}` : "row finding"}
      isCurrent={isCurrent}
      onEnter={() => room.goTo(place)}
      onHover={(isOver) => room.walking.hover(isOver ? uid : null)}
    >
      <span class="row-label">
        {side && <strong class="side">{side}</strong>} Missed {numberOf(state.reading, uid, completion.uid)}
      </span>
      {!isSameField(state.writing, writing) && (
        <>
          <span class="finding-text">
            {text}
            {isDrawn && <span class="quiet"> · drawn</span>}{" "}
            {same && (
              <span class="chip" title={`As ${knownFindingName(state.reading, same.uid)}: both miss it.`}>
                = {markOfFinding(state.reading, same)}
              </span>
            )}
          </span>
          {room.canRate && (
            <>
              <WriteButton
                name="edit"
                label={`Edit ${name}`}
                shortcut="edit"
                onClick={() => room.texts.start(writing, place)}
              />
              {finding && isMissedByOneAlone(state.reading, finding) && (
                <button
                  type="button"
                  class="inline"
                  aria-label={`${both}: the other output missed it too, ${name}`}
                  onClick={() => {
                    room.goTo(place);
                    room.sayMissedByBoth(uid);
                  }}
                >
                  {both} <Cap of="as-twin" isApart />
                </button>
              )}
              <button
                type="button"
                class="inline"
                aria-label={`Delete ${name}`}
                onClick={() => {
                  room.texts.dropFinding(uid);
                  // This button goes with it, and would leave the keys to nothing.
                  focusCurrentItem();
                }}
              >
                delete
              </button>
            </>
          )}
        </>
      )}
      <TextField
        room={room}
        state={state}
        writing={writing}
        label={findingTitle(state.reading, uid, completion.uid)}
        placeholder={`What should ${side ? `output ${side}` : "the output"} have named? No names, dates or numbers of patients.`}
        maxLength={MOST_LETTERS}
        of={side ? completion.side : undefined}
        other={side && !finding ? otherSide(completion.side).toUpperCase() : undefined}
        then={
          <>
            , then <Cap of="add-region" /> draws where
          </>
        }
      />
      {isCurrent && <RegionsHere room={room} state={state} />}
    </Item>
  );
}

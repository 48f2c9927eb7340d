import { groupsAt, isSameOwner, itemInHand, ownerAt, type RegionItem } from "../region-items";
import type { Owner } from "../regions";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { Cap } from "./cap";
import { RegionFields } from "./region-fields";

/** What the reader is at, where it is a missed finding or the first read: its regions, and the way to a further one. */
export function RegionsHere({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const { reading, place, inHand } = state;
  const owner = ownerAt(reading, place);
  const group = owner && groupsAt(reading, place).find((each) => isSameOwner(each.owner, owner));
  if (!owner || !group) return null;
  return (
    <OwnRegions
      room={room}
      state={state}
      owner={owner}
      items={group.items}
      focused={itemInHand(reading, place, inHand)?.uid ?? null}
      onFocus={(uid) => room.walking.toRegion(uid)}
      addName={group.items.length > 0 ? "further region" : FIRST_NAMES[owner.kind]}
    />
  );
}

const FIRST_NAMES: Readonly<Record<Owner["kind"], string>> = {
  step: "draw where",
  finding: "draw where",
  "first-read": "draw where something is suspicious",
};

/** The regions that the reader drew for one thing. */
export function OwnRegions(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly owner: Owner;
  readonly items: readonly RegionItem[];
  /** The one that has the focus. */
  readonly focused: string | null;
  readonly onFocus: (uid: string) => void;
  /** What adds a further one; left out where that is offered elsewhere. */
  readonly addName?: string;
}) {
  const { room, state, owner, items, focused } = props;
  const inHand = items.find(({ uid }) => uid === focused);
  const isAdding = state.fresh !== null && isSameOwner(state.fresh.owner, owner);
  if (items.length === 0 && props.addName === undefined) return null;
  return (
    <div class="own-regions">
      {items.map(({ uid, label }) => (
        <span key={uid} class="with-label">
          <button
            type="button"
            class={`row-label plain${uid === focused ? " focused" : ""}`}
            aria-current={uid === focused ? "true" : undefined}
            onClick={() => props.onFocus(uid)}
          >
            {`Region ${label}`}
          </button>
          {room.canRate && (
            <button
              type="button"
              class="inline"
              aria-label={`Delete region ${label}`}
              onClick={() => room.regions.remove(uid)}
            >
              delete
            </button>
          )}
        </span>
      ))}
      {props.addName !== undefined && room.canRate && (
        <button
          type="button"
          class="inline"
          aria-pressed={isAdding}
          onClick={() => (isAdding ? room.regions.remove() : room.regions.add(owner))}
        >
          {isAdding ? "stop drawing" : props.addName} <Cap of="add-region" />
        </button>
      )}
      {inHand && room.canRate && <RegionFields room={room} state={state} item={inHand} />}
    </div>
  );
}

import { useRef, useState } from "preact/hooks";
import type { Box } from "../../viewer/geometry";
import type { RegionItem } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { showCurrentItem } from "../scrolling";

const FIELDS = ["left", "top", "width", "height"] as const;

type Numbers = Readonly<Record<(typeof FIELDS)[number], number>>;

const tenth = (value: number): number => Math.round(value * 10) / 10;

function numbersOf({ x_min, y_min, x_max, y_max }: Box): Numbers {
  return { left: tenth(x_min), top: tenth(y_min), width: tenth(x_max - x_min), height: tenth(y_max - y_min) };
}

function boxOf({ left, top, width, height }: Numbers): Box {
  return { x_min: left, y_min: top, x_max: tenth(left + width), y_max: tenth(top + height) };
}

/** What is in the fields while it is typed, and after that while it cannot be saved: as it was typed, since a field that
 * is written to while somebody types a point loses the point and its cursor. */
interface Typed {
  readonly of: string;
  readonly texts: Readonly<Partial<Record<keyof Numbers, string>>>;
  readonly problem: string | null;
}

const NOTHING_TYPED: Typed["texts"] = {};

function numbersWith(stored: Numbers, texts: Typed["texts"]): Numbers {
  const numberOf = (field: keyof Numbers): number => {
    const text = texts[field];
    if (text === undefined) return stored[field];
    return text === "" ? Number.NaN : Number(text);
  };
  return {
    left: numberOf("left"),
    top: numberOf("top"),
    width: numberOf("width"),
    height: numberOf("height"),
  };
}

/** The region in hand as numbers, film pixels: the way without a drag. What cannot be saved is said here. */
export function RegionFields(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly item: RegionItem;
}) {
  const { room, state, item } = props;
  const box = state.nudged?.region === item.uid ? state.nudged.box : item.box;
  const [typed, setTyped] = useState<Typed | null>(null);
  const stored = numbersOf(box);
  const now = `${item.uid} ${Object.values(stored).join(" ")}`;
  const mine = typed?.of === now ? typed : null;
  const texts = mine?.texts ?? NOTHING_TYPED;
  const problem = mine?.problem ?? null;
  const problemId = `problem-${item.uid}`;
  const type = (field: keyof Numbers, text: string): void => {
    setTyped({ of: now, texts: { ...texts, [field]: text }, problem });
  };
  // Known before the page is drawn anew, which may be after the key came up.
  const isRefused = useRef(false);
  const put = (field: keyof Numbers, text: string): void => {
    const next = { ...texts, [field]: text };
    const refused = room.regions.put(item.uid, boxOf(numbersWith(stored, next)));
    isRefused.current = refused !== null;
    setTyped(refused === null ? null : { of: now, texts: next, problem: refused });
  };
  return (
    <fieldset class="row box-fields">
      <legend class="visually-hidden">{`Region ${item.label} in pixels`}</legend>
      {state.drawing === item.uid && (
        <span class="hint" role="status">
          Draw a new box, drag its grips or outline, use the arrow keys (with Ctrl or Alt they move the
          edges), or type pixels (Enter takes them). <strong>Enter: done. Esc: as it was.</strong>
        </span>
      )}
      {FIELDS.map((field) => (
        <label key={field}>
          {field}
          <input
            type="number"
            step="any"
            value={texts[field] ?? stored[field]}
            disabled={!room.canRate}
            aria-invalid={problem !== null}
            aria-describedby={problem ? problemId : undefined}
            onInput={(event) => type(field, event.currentTarget.value)}
            onChange={(event) => put(field, event.currentTarget.value)}
            onFocus={() => {
              isRefused.current = false;
            }}
            // Enter going down is the browser's word that the number changed. The next Enter is for the region: done.
            onKeyUp={(event) => {
              if (event.key === "Enter" && !isRefused.current) showCurrentItem();
            }}
          />
        </label>
      ))}
      {problem && (
        <span id={problemId} class="problem" role="alert">
          {`Not saved. ${problem}`}
        </span>
      )}
    </fieldset>
  );
}

/** What the reading room shows at a moment. */
import type { Change, Reading } from "../api/reading";
import type { Display, DragTool } from "../viewer/film";
import type { Box } from "../viewer/geometry";
import type { FilmValues } from "../viewer/window";
import type { Looked } from "./films";
import { firstPlace } from "./gaps";
import type { Place } from "./place";
import type { Fresh } from "./region-items";
import type { Pointed } from "./scales";
import type { Deeds } from "./undo";
import type { Writing } from "./writing";

export type FilmState =
  | { readonly kind: "loading" }
  | { readonly kind: "shown"; readonly values: FilmValues }
  | {
      readonly kind: "wrong";
      readonly sentence: string;
      readonly isMissing: boolean;
      readonly isLockedOut: boolean;
    };

export interface RoomState {
  readonly reading: Reading;
  readonly place: Place;
  readonly film: FilmState;
  readonly display: Display | null;
  readonly tool: DragTool;
  readonly showsAll: boolean;
  readonly isHidden: boolean;
  /** The step or missed finding under the pointer. */
  readonly hovered: string | null;
  /** The value under the pointer, or with the focus. */
  readonly pointed: Pointed | null;
  readonly drawing: string | null;
  /** Of the reader's own regions of a finding or the first read, the one that keys move. */
  readonly inHand: string | null;
  /** A region of the reader's own that is not drawn yet. */
  readonly fresh: Fresh | null;
  readonly nudged: { readonly region: string; readonly box: Box } | null;
  /** Steps whose questions are all shown, also those that are not asked of them. */
  readonly opened: readonly string[];
  /** The field that is being written in. */
  readonly writing: Writing | null;
  /** Both outputs stand side by side. */
  readonly isComparing: boolean;
  /** The other film that is looked at. */
  readonly looked: Looked | null;
  /** It zooms and moves with the rated one. */
  readonly isLinked: boolean;
  readonly isMagnifying: boolean;
  /** What is measured on the film, in words. */
  readonly ruler: string | null;
  readonly numUndoable: number;
  readonly numRedoable: number;
  /** Said where the focus has gone over to the other output. */
  readonly turn: string | null;
  /** Said where the keys begin to mean something else. */
  readonly hint: string | null;
  /** What a key did that is not seen where the reader looks; said aloud, until the next key. */
  readonly said: string | null;
}

export type SaveChange = (change: Change, sopInstanceUid: string) => void;

/** As a case is opened; its film is on its way. */
export function atOpening(reading: Reading, { done, undone }: Deeds): RoomState {
  return {
    reading,
    place: firstPlace(reading),
    film: { kind: "loading" },
    display: null,
    tool: "window",
    showsAll: false,
    isHidden: false,
    hovered: null,
    pointed: null,
    drawing: null,
    inHand: null,
    fresh: null,
    nudged: null,
    writing: null,
    opened: [],
    isComparing: false,
    looked: null,
    isLinked: false,
    isMagnifying: false,
    ruler: null,
    numUndoable: done.length,
    numRedoable: undone.length,
    turn: null,
    hint: null,
    said: null,
  };
}

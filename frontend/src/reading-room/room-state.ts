/** What the reading room shows at a moment. */
import type { Change, Reading } from "../api/reading";
import type { Display, DragTool } from "../viewer/film";
import type { Box } from "../viewer/geometry";
import type { FilmValues } from "../viewer/window";
import type { Place } from "./place";

export type FilmState =
  | { readonly kind: "loading" }
  | { readonly kind: "shown"; readonly values: FilmValues }
  | { readonly kind: "wrong"; readonly sentence: string };

export interface RoomState {
  readonly reading: Reading;
  readonly place: Place;
  readonly film: FilmState;
  readonly display: Display | null;
  readonly tool: DragTool;
  readonly showsAll: boolean;
  readonly isHidden: boolean;
  readonly hoveredStep: string | null;
  readonly drawing: string | null;
  readonly nudged: { readonly region: string; readonly box: Box } | null;
  /** The step whose note is being written. */
  readonly noteOf: string | null;
  readonly numUndoable: number;
  /** Said when a side is complete and the other is not; until the reader walks on, keys rate nothing. */
  readonly hint: string | null;
}

export type SaveChange = (change: Change, sopInstanceUid: string) => void;

/** What the page shows of a reader's way through the cases at a moment. */
import type { Ending } from "../api/reading";
import { type Leftovers, NO_LEFTOVERS } from "./leftovers";
import { LOGGED_IN, type LoginState } from "./login";
import type { Room } from "./room";
import type { RoomState } from "./room-state";
import type { SaveState } from "./save-state";

export type Stage =
  | { readonly kind: "opening" }
  | { readonly kind: "failed"; readonly sentence: string }
  | { readonly kind: "open"; readonly room: Room; readonly state: RoomState; readonly save: SaveState }
  | { readonly kind: "finished"; readonly ending: Ending };

export interface SessionState {
  readonly stage: Stage;
  readonly isSigning: boolean;
  /** Why the reading could not be signed. */
  readonly refusal: string | null;
  /** What happened that the reader did not ask for. */
  readonly notice: string | null;
  readonly seconds: number;
  readonly login: LoginState;
  readonly leftovers: Leftovers;
}

export const OPENING: SessionState = {
  stage: { kind: "opening" },
  isSigning: false,
  refusal: null,
  notice: null,
  seconds: 0,
  login: LOGGED_IN,
  leftovers: NO_LEFTOVERS,
};

/** What the page shows of a reader's way through the cases at a moment. */
import type { Ending } from "../api/reading";
import type { Gap } from "./gaps";
import { type Leftovers, NO_LEFTOVERS } from "./leftovers";
import { LOGGED_IN, type LoginState } from "./login";
import type { Room } from "./room";
import type { RoomState } from "./room-state";
import type { SaveState } from "./save-state";

export type Stage =
  | { readonly kind: "opening" }
  | { readonly kind: "failed"; readonly sentence: string }
  | { readonly kind: "open"; readonly room: Room; readonly state: RoomState; readonly save: SaveState }
  /** A film was reported to show a name: nothing of the case is shown while the server does not have it yet. */
  | { readonly kind: "reported"; readonly caseLabel: string; readonly save: SaveState }
  /** The case was taken out of use while it was on the screen, or is closed to its reader. */
  | {
      readonly kind: "out-of-use" | "closed";
      readonly uid: string;
      readonly caseLabel: string;
      readonly sentence: string;
      readonly numKept: number;
      /** The next case of its pool is there to be taken. */
      readonly mayTake: boolean;
    }
  /** `isReported`: the last case was not signed, a film of it was reported. `amended`: what its signature replaced. */
  | {
      readonly kind: "finished";
      readonly ending: Ending;
      readonly isReported: boolean;
      readonly amended: string | null;
    };

export interface SessionState {
  readonly stage: Stage;
  readonly isSigning: boolean;
  /** Why the reading could not be signed. */
  readonly refusal: string | null;
  /** Answers that contradict each other, shown once before the reading is signed. */
  readonly doubts: readonly Gap[];
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
  doubts: [],
  notice: null,
  seconds: 0,
  login: LOGGED_IN,
  leftovers: NO_LEFTOVERS,
};

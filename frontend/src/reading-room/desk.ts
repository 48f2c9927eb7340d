/** One case laid out: its room, the viewport it is drawn in, and the way of its changes to the server. */
import type { Change, Reading, Reported, Signed } from "../api/reading";
import type { FilmView } from "../viewer/film";
import { withChange } from "./changes";
import type { Histories } from "./histories";
import { Room } from "./room";
import type { RoomState } from "./room-state";
import type { SaveState, Surroundings } from "./save-state";
import { Saver } from "./saver";

export interface Desk {
  readonly uid: string;
  readonly room: Room;
  readonly saver: Saver;
  readonly view: FilmView;
}

export interface DeskListener {
  roomChanged(desk: Desk, state: RoomState): void;
  saveChanged(desk: Desk, state: SaveState): void;
  signed(desk: Desk, signed: Signed): void;
  notSigned(desk: Desk, sentence: string): void;
  reported(desk: Desk, reported: Reported): void;
}

/** What the server has, and on top of it what a page before this one could not send. */
export async function layOut(
  stored: Reading,
  view: FilmView,
  around: Surroundings,
  histories: Histories,
  listener: DeskListener,
): Promise<Desk> {
  const saver = new Saver(stored, around, {
    changed: (state) => listener.saveChanged(desk, state),
    signed: (signed) => {
      void histories.drop(stored.uid);
      listener.signed(desk, signed);
    },
    notSigned: (sentence) => listener.notSigned(desk, sentence),
    reported: (reported) => listener.reported(desk, reported),
  });
  // The listener knows no desk before it is laid out, and asks by identity.
  let desk = { uid: stored.uid, saver, view } as Desk;
  // Time that is not confirmed may have arrived all the same, and would be counted twice.
  const unsent = (await saver.unsent()).filter((change: Change) => change.kind !== "add_active_time");
  if (stored.signed_at !== null) await histories.drop(stored.uid);
  const deeds = await histories.of(stored.uid);
  const room = new Room(
    unsent.reduce(withChange, stored),
    view,
    (change, sopInstanceUid) => saver.save(change, sopInstanceUid),
    (state) => listener.roomChanged(desk, state),
    { deeds, keep: (now) => void histories.keep(stored.uid, now) },
  );
  room.isSigning = saver.isSigning;
  view.setDragTool("window");
  desk = { uid: stored.uid, room, saver, view };
  return desk;
}

/** Whether the film on screen is, at this moment, the one that the room's ratings are for; else the room is blank. */
export function hasItsFilm({ room, view }: Desk): boolean {
  if (room.state.film.kind !== "shown") return false;
  if (view.sopInstanceUidOnScreen() === room.state.reading.instance.sop_instance_uid) return true;
  room.lose("The film on screen is no longer the one that this page is about.");
  return false;
}

/** One case from opening to signature: brings together the reading, the film, the outbox and the clock. */
import { getJson, postForm, postJson } from "../api/client";
import type { Reading, Saved, SentChange, Signed } from "../api/reading";
import type { FilmView } from "../viewer/film";
import { ActiveTime } from "./active-time";
import { withChange } from "./changes";
import { type Outbox, openOutbox, outboxInMemory } from "./outbox";
import { gaps } from "./place";
import { Room } from "./room";
import type { RoomState } from "./room-state";
import { Saver, type SaveState } from "./saver";

export type Stage =
  | { readonly kind: "opening" }
  | { readonly kind: "failed"; readonly sentence: string; readonly isLockedOut: boolean }
  | { readonly kind: "open"; readonly room: Room; readonly state: RoomState; readonly save: SaveState }
  | { readonly kind: "finished" };

export interface SessionState {
  readonly stage: Stage;
  readonly isSigning: boolean;
  /** Why the reading could not be signed. */
  readonly refusal: string | null;
  readonly seconds: number;
}

const READING_PATH = /\/readings\/([0-9a-f-]{36})\//;

export class Session {
  state: SessionState = {
    stage: { kind: "opening" },
    isSigning: false,
    refusal: null,
    seconds: 0,
  };
  private outbox: Outbox | null = null;
  private saver: Saver | null = null;
  private room: Room | null = null;
  private time = new ActiveTime(Date.now());
  private signId: string | null = null;

  constructor(
    private readonly view: FilmView,
    private readonly tell: (state: SessionState) => void,
  ) {
    view.onRegionDrawn((uid, box) => this.room?.regionDrawn(uid, box));
    view.onRegionChosen((uid) => this.room?.focusRegion(uid));
    view.onRegionHovered((uid) => this.room?.hoverRegion(uid));
    view.onDisplayChanged((display) => this.room?.displayChanged(display));
    view.onImageLost((problem) => this.room?.lose(problem.message));
  }

  async open(uid: string): Promise<void> {
    this.saver?.close();
    this.room = null;
    this.signId = null;
    this.set({ stage: { kind: "opening" }, isSigning: false, refusal: null });
    this.outbox ??= await openOutbox().catch(outboxInMemory);
    const answer = await getJson<Reading>(`/api/readings/${uid}/`);
    if (answer.kind !== "done") {
      const isLockedOut = answer.kind === "locked-out";
      return this.set({ stage: { kind: "failed", sentence: answer.sentence, isLockedOut } });
    }
    await this.enter(answer.body, this.outbox);
  }

  private async enter(stored: Reading, outbox: Outbox): Promise<void> {
    const post = (change: SentChange) => postJson<Saved>(`/api/readings/${stored.uid}/changes/`, change);
    const saver = new Saver(
      stored.uid,
      outbox,
      localStorage,
      post,
      (save) => this.show({ save }),
      stored.saved_at,
    );
    // Time that is not confirmed may have arrived all the same, and would be counted twice.
    const unsent = (await saver.unsent()).filter((change) => change.kind !== "add_active_time");
    const reading = unsent.reduce(withChange, stored);
    const room = new Room(
      reading,
      this.view,
      (change, sopInstanceUid) => saver.save(change, sopInstanceUid),
      (state) => this.show({ state }),
    );
    this.saver = saver;
    this.room = room;
    this.time = new ActiveTime(Date.now());
    this.set({
      stage: { kind: "open", room, state: room.state, save: saver.state },
      seconds: stored.active_seconds,
    });
    void saver.flush();
    await room.loadFilm();
  }

  /** A key, click or movement: the reader is at work. */
  signOfLife(): void {
    if (this.room?.state.reading.signed_at) return;
    this.time.sign(Date.now());
    this.room?.addActiveTime(this.time.take());
    const reading = this.room?.state.reading;
    if (reading) this.set({ seconds: reading.active_seconds + this.time.pendingSeconds });
  }

  retryFilm(): void {
    void this.room?.loadFilm();
  }

  retrySaving(): void {
    void this.saver?.flush();
  }

  /** The server refused a change: forget it here and show what the server has. */
  async showStored(): Promise<void> {
    const uid = this.room?.state.reading.uid;
    await this.saver?.dropRefused();
    if (uid) await this.open(uid);
  }

  /** Leaves nothing to chance when the page goes away: what waits for a pause goes into the outbox now. */
  leave(): void {
    this.signOfLife();
    this.gather();
    this.saver?.leave();
  }

  private gather(): void {
    this.room?.addActiveTime(this.time.take({ atLeast: 1 }));
    this.room?.commitAll();
  }

  async sign(): Promise<void> {
    const { room, saver } = this;
    if (room === null || saver === null || this.state.isSigning || !room.canRate) return;
    this.gather();
    const [gap] = gaps(room.state.reading);
    if (gap) {
      this.set({ refusal: `Not signed yet. Left: ${leftToDo(room.state.reading)}.` });
      return room.goToFirstGap();
    }
    const sopInstanceUid = this.view.sopInstanceUidOnScreen();
    if (sopInstanceUid === null) return;
    this.set({ isSigning: true, refusal: null });
    await saver.flush();
    if (saver.state.numWaiting > 0) {
      return this.set({ isSigning: false, refusal: "Not signed yet: some changes are not saved." });
    }
    this.signId ??= crypto.randomUUID();
    const answer = await postJson<Signed>(`/api/readings/${room.state.reading.uid}/sign/`, {
      change_id: this.signId,
      sop_instance_uid: sopInstanceUid,
    });
    this.set({ isSigning: false });
    if (answer.kind === "done") return this.goOn(answer.body.next);
    if (answer.kind === "refused") this.signId = null;
    this.set({ refusal: `Not signed yet. ${answer.sentence}` });
  }

  private async goOn(next: string | null): Promise<void> {
    if (next === null) {
      this.saver?.close();
      this.room = null;
      return this.set({ stage: { kind: "finished" } });
    }
    let address = next;
    if (!READING_PATH.test(next)) {
      const opened = await postForm(next);
      if (opened.kind !== "done") return this.set({ refusal: `Signed. ${opened.sentence}` });
      address = opened.body;
    }
    const uid = READING_PATH.exec(address)?.[1];
    if (uid === undefined) return location.assign(address);
    // The page of a reading records that its reader opened it.
    await fetch(address).catch(() => undefined);
    history.pushState({ uid }, "", address);
    await this.open(uid);
  }

  private show(part: { state?: RoomState; save?: SaveState }): void {
    const { stage } = this.state;
    if (stage.kind !== "open") return;
    const refusal = part.state ? null : this.state.refusal;
    const wasRated = part.state && part.state.reading !== stage.state.reading;
    this.set({ stage: { ...stage, ...part }, refusal: wasRated ? refusal : this.state.refusal });
  }

  private set(part: Partial<SessionState>): void {
    this.state = { ...this.state, ...part };
    this.tell(this.state);
  }
}

const MOST_NAMED = 4;

/** "B step 2, B correctness and 3 more". */
export function leftToDo(reading: Reading): string {
  const names = gaps(reading).map((gap) => gap.name);
  if (names.length <= MOST_NAMED) return names.join(", ");
  return `${names.slice(0, MOST_NAMED - 1).join(", ")} and ${names.length - MOST_NAMED + 1} more`;
}

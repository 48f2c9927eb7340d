/** A reader's way through the cases: each is opened, saved as it is read, signed, and followed by the next at once. */
import type { Credentials } from "../api/account";
import { getJson, postForm } from "../api/client";
import { type Reading, type Signed, send } from "../api/reading";
import type { FilmView } from "../viewer/film";
import type { FilmPair } from "../viewer/pair";
import { ActiveTime } from "./active-time";
import { type Desk, hasItsFilm, layOut } from "./desk";
import { FirstReadLock } from "./first-read-lock";
import { gaps } from "./gaps";
import { rescue } from "./last-resort";
import { type Leftovers, NO_LEFTOVERS, sendLeftovers } from "./leftovers";
import { LOGGED_IN, Login, type LoginState } from "./login";
import { NextCase, readingIn } from "./next-case";
import { openOutbox, outboxInMemory } from "./outbox";
import type { Room } from "./room";
import type { RoomState } from "./room-state";
import type { SaveState, Surroundings } from "./save-state";

export type Stage =
  | { readonly kind: "opening" }
  | { readonly kind: "failed"; readonly sentence: string }
  | { readonly kind: "open"; readonly room: Room; readonly state: RoomState; readonly save: SaveState }
  | { readonly kind: "finished" };

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

export class Session {
  state: SessionState = {
    stage: { kind: "opening" },
    isSigning: false,
    refusal: null,
    notice: null,
    seconds: 0,
    login: LOGGED_IN,
    leftovers: NO_LEFTOVERS,
  };
  private around: Surroundings | null = null;
  private desk: Desk | null = null;
  /** Signed, and not confirmed yet: its film stays behind until it is, in case the server refuses. */
  private left: Desk | null = null;
  private wanted: string | null = null;
  private time = new ActiveTime(Date.now());
  private readonly next: NextCase;
  private readonly login: Login;
  private readonly lock: FirstReadLock;

  constructor(
    private readonly views: FilmPair,
    private readonly account: string,
    private readonly tell: (state: SessionState) => void,
  ) {
    this.next = new NextCase(
      (stored, view) => this.layOut(stored, view),
      () => views.behind(),
    );
    this.login = new Login(
      account,
      (login) => this.set({ login }),
      () => this.loggedIn(),
    );
    this.lock = new FirstReadLock({
      locked: (desk) => desk === this.desk && this.set({ isSigning: false }),
      notLocked: (desk, sentence) => {
        if (desk !== this.desk) return;
        this.set({ isSigning: false, refusal: `Not locked yet. ${sentence}` });
      },
      lockedOut: () => this.login.findOut(),
    });
    views.onMade((view) => this.listenTo(view));
  }

  private listenTo(view: FilmView): void {
    const room = (): Room | undefined => (this.desk?.view === view ? this.desk.room : undefined);
    view.onRegionDrawn((uid, box) => room()?.regionDrawn(uid, box));
    view.onRegionChosen((uid) => room()?.walking.toRegion(uid));
    view.onRegionHovered((uid) => room()?.walking.hoverRegion(uid));
    view.onDisplayChanged((display) => room()?.displayChanged(display));
    view.onMeasured(() => room()?.films.measured());
    view.onImageLost((problem) => room()?.lose(problem.message));
  }

  /** The page's own case: the page has told the server that it is open. */
  async start(uid: string): Promise<void> {
    const outbox = await openOutbox().catch(outboxInMemory);
    await rescue(localStorage, outbox);
    this.around = { account: this.account, outbox, storage: localStorage, send };
    await this.open(uid, `/api/readings/${uid}/`);
    const leftovers = await sendLeftovers(outbox, this.around, (reading) => this.isOpen(reading));
    this.set({ leftovers });
  }

  private isOpen(reading: string): boolean {
    return reading === this.wanted || reading === this.left?.uid;
  }

  private async open(uid: string, address: string): Promise<Desk | null> {
    this.putAway();
    this.wanted = uid;
    this.set({ stage: { kind: "opening" }, isSigning: false, refusal: null });
    const answer = await getJson<Reading>(address);
    if (this.wanted !== uid) return null;
    if (answer.kind !== "done") {
      this.set({ stage: { kind: "failed", sentence: answer.sentence } });
      if (answer.kind === "locked-out") await this.login.findOut();
      return null;
    }
    const desk = await this.layOut(answer.body, this.views.front());
    this.show(desk);
    void desk.saver.flush();
    await desk.room.loadFilm();
    void this.prepareNext();
    return desk;
  }

  private layOut(stored: Reading, view: FilmView): Promise<Desk> {
    return layOut(stored, view, this.around as Surroundings, {
      roomChanged: (desk, state) => this.roomChanged(desk, state),
      saveChanged: (desk, state) => void this.saveChanged(desk, state),
      signed: (desk, signed) => void this.signed(desk, signed),
      notSigned: (desk, sentence) => this.notSigned(desk, sentence),
    });
  }

  private show(desk: Desk): void {
    const { room, saver } = desk;
    this.desk = desk;
    this.wanted = desk.uid;
    this.time = new ActiveTime(Date.now());
    this.set({
      stage: { kind: "open", room, state: room.state, save: this.save(saver.state) },
      seconds: room.state.reading.active_seconds,
      isSigning: saver.isSigning,
      refusal: null,
    });
  }

  private putAway(): void {
    this.next.drop();
    this.desk?.saver.close();
    this.left?.saver.close();
    this.desk = this.left = null;
    this.views.front().clear();
  }

  private async prepareNext(): Promise<void> {
    const next = readingIn(this.desk?.room.state.reading.next ?? null);
    if (next !== null && this.left === null && this.desk && hasItsFilm(this.desk)) {
      await this.next.prepare(next);
    }
  }

  /** A key, click or movement: the reader is at work. */
  signOfLife(): void {
    const { desk } = this;
    if (desk === null || desk.room.state.reading.signed_at) return;
    if (document.querySelector("dialog[open]")) return this.time.leaveOut(Date.now());
    this.time.sign(Date.now());
    desk.room.addActiveTime(this.time.take());
    this.set({ seconds: desk.room.state.reading.active_seconds + this.time.pendingSeconds });
  }

  retryFilm(): void {
    void this.desk?.room.loadFilm();
  }

  retrySaving(): void {
    void this.left?.saver.flush();
    void this.desk?.saver.flush();
  }

  /** The server refused a change: forget it here and show what the server has. */
  async showStored(): Promise<void> {
    const { desk } = this;
    await desk?.saver.dropRefused();
    if (desk === this.desk) await this.reopen();
  }

  /** Two windows changed one item: the reader has seen both versions and says which one counts. */
  async choose(version: "mine" | "stored"): Promise<void> {
    const { desk } = this;
    await desk?.saver.choose(version);
    if (desk === this.desk && desk?.saver.state.problem === null) await this.reopen();
  }

  private async reopen(): Promise<void> {
    const uid = this.wanted;
    if (uid !== null) await this.open(uid, `/api/readings/${uid}/`);
  }

  askToLogIn(): void {
    this.login.ask();
  }

  cancelLogIn(): void {
    this.login.cancel();
  }

  logIn(credentials: Credentials): Promise<void> {
    return this.login.logIn(credentials);
  }

  private loggedIn(): void {
    this.retrySaving();
    if (this.state.stage.kind === "failed") void this.reopen();
    else if (this.desk?.room.state.film.kind === "wrong") this.retryFilm();
  }

  /** Leaves nothing to chance when the page goes away: what waits for a pause goes into the outbox now. */
  leave(): void {
    this.signOfLife();
    this.gather();
    this.desk?.saver.leave();
  }

  private gather(): void {
    this.desk?.room.addActiveTime(this.time.take({ atLeast: 1 }));
    this.desk?.room.commitAll();
  }

  /** The signature goes the way of every change, and the next case is shown meanwhile where it is ready. */
  async sign(): Promise<void> {
    const { desk } = this;
    if (desk?.room.state.reading.signed_at) return this.goOnFrom(desk);
    if (desk === null || desk.room.films.bringBack() || !desk.room.canRate) return;
    if (this.state.login.who !== "in") return this.askToLogIn();
    this.gather();
    const { reading } = desk.room.state;
    if (gaps(reading).length > 0) {
      const what = reading.stage === "first_read" ? "locked" : "signed";
      this.set({ refusal: `Not ${what} yet. Left: ${leftToDo(reading)}.` });
      return desk.room.walking.goToFirstGap();
    }
    if (!hasItsFilm(desk)) return;
    desk.room.isSigning = true;
    if (reading.stage === "first_read") {
      this.set({ isSigning: true, refusal: null, notice: null });
      return this.lock.ask(desk);
    }
    desk.saver.sign(reading.instance.sop_instance_uid);
    if (!this.goAhead(desk)) this.set({ isSigning: true, refusal: null, notice: null });
  }

  private goAhead(from: Desk): boolean {
    // A case that teaches says first what was known of it.
    if (this.left !== null || from.room.state.reading.is_training) return false;
    const to = this.next.take();
    if (to === null) return false;
    this.left = from;
    this.swapIn(to);
    return true;
  }

  /** From a case that was signed before, or that has said what was known of it. */
  private async goOnFrom(signed: Desk): Promise<void> {
    const to = this.next.take();
    if (to === null) return this.goOn(signed.room.state.reading.next);
    signed.saver.close();
    this.swapIn(to);
    signed.view.clear();
    to.saver.release();
    await this.prepareNext();
  }

  private swapIn(to: Desk): void {
    this.views.bringToFront(to.view);
    this.show(to);
    this.set({ notice: null });
    hasItsFilm(to);
    const display = to.view.display();
    if (display) to.room.displayChanged(display);
    to.saver.opened();
    history.pushState({ uid: to.uid }, "", `/readings/${to.uid}/`);
    performance.mark("next-case-shown", { detail: to.uid });
  }

  private async signed(desk: Desk, { next }: Signed): Promise<void> {
    if (desk === this.left) return this.leftIsSigned(desk, next);
    if (desk !== this.desk) return;
    await (desk.room.state.reading.is_training ? this.reopen() : this.goOn(next));
  }

  private async leftIsSigned(left: Desk, next: string | null): Promise<void> {
    left.saver.close();
    left.view.clear();
    this.left = null;
    const shown = this.desk;
    if (shown === null) return;
    if (readingIn(next) === shown.uid) {
      shown.saver.release();
      this.roomChanged(shown, shown.room.state);
      return this.prepareNext();
    }
    const { case_label: label } = shown.room.state.reading;
    await this.goOn(next);
    this.set({
      notice: `${label} was not your next case after all. Nothing that you did there was sent; it is kept in this browser.`,
    });
  }

  /** The server refused what was sent from the case that was left: it is shown again. */
  private comeBack(left: Desk): void {
    const shown = this.desk;
    this.left = null;
    this.views.bringToFront(left.view);
    this.show(left);
    hasItsFilm(left);
    history.replaceState({ uid: left.uid }, "", `/readings/${left.uid}/`);
    if (shown === null) return;
    if (!shown.saver.isSigning && hasItsFilm(shown)) this.next.keep(shown);
    else shown.saver.close();
  }

  private async goOn(next: string | null): Promise<void> {
    if (next === null) {
      this.putAway();
      return this.set({ stage: { kind: "finished" }, isSigning: false });
    }
    let address = next;
    if (readingIn(next) === null) {
      const made = await postForm(next);
      if (made.kind !== "done") {
        return this.set({ isSigning: false, refusal: `Signed. ${made.sentence}` });
      }
      address = made.body;
    }
    const uid = readingIn(address);
    if (uid === null) return location.assign(address);
    history.pushState({ uid }, "", address);
    const desk = await this.open(uid, `/api/readings/${uid}/?ahead=1`);
    desk?.saver.opened();
  }

  private roomChanged(desk: Desk, state: RoomState): void {
    const { stage } = this.state;
    if (desk !== this.desk || stage.kind !== "open") return;
    const wasRated = state.reading !== stage.state.reading;
    const said = wasRated ? { refusal: null, notice: null } : {};
    this.set({ stage: { ...stage, state, save: this.save(desk.saver.state) }, ...said });
  }

  private async saveChanged(desk: Desk, save: SaveState): Promise<void> {
    if (desk !== this.desk && desk !== this.left) return;
    const { problem } = save;
    if (problem === null && save.numWaiting === 0) this.login.confirmed();
    this.showSaving();
    await this.lock.savingChanged(desk);
    if (problem?.kind === "locked-out") await this.login.findOut();
  }

  private notSigned(desk: Desk, sentence: string): void {
    if (desk === this.left) this.comeBack(desk);
    if (desk !== this.desk) return;
    desk.room.isSigning = false;
    this.set({ isSigning: false, refusal: `Not signed yet. ${sentence}` });
  }

  private showSaving(): void {
    const { stage } = this.state;
    if (stage.kind !== "open" || this.desk === null) return;
    this.set({ stage: { ...stage, save: this.save(this.desk.saver.state) } });
  }

  /** Of both cases where the one before is still being signed: its trouble comes first. */
  private save(now: SaveState): SaveState {
    const before = this.left?.saver.state;
    if (before === undefined) return now;
    return {
      numWaiting: before.numWaiting + now.numWaiting,
      savedAt: now.savedAt ?? before.savedAt,
      isKept: before.isKept && now.isKept,
      problem: before.problem ?? now.problem,
    };
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

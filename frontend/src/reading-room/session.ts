/** A reader's way through the cases: each is opened, saved as it is read, signed, and followed by the next at once. */
import type { Credentials } from "../api/account";
import { getJson } from "../api/client";
import { type Reading, send } from "../api/reading";
import type { FilmView } from "../viewer/film";
import type { FilmPair } from "../viewer/pair";
import { openDatabase } from "./browser-database";
import { Weighing } from "./contradictions";
import { type Desk, hasItsFilm, layOut } from "./desk";
import { Desks } from "./desks";
import { FirstReadLock } from "./first-read-lock";
import { gaps, leftToDo } from "./gaps";
import { GivingUp } from "./giving-up";
import { type Histories, historiesIn, NO_HISTORIES } from "./histories";
import { rescue } from "./last-resort";
import { sendLeftovers } from "./leftovers";
import { Login } from "./login";
import { Onward } from "./onward";
import { outboxIn, outboxInMemory } from "./outbox";
import { PauseWatch } from "./pause-watch";
import type { Room } from "./room";
import type { RoomState } from "./room-state";
import type { SaveState, Surroundings } from "./save-state";
import { OPENING, type SessionState } from "./session-state";
import { TakenAway } from "./taken-away";
import { TimeAtWork } from "./time-at-work";
import { type Windows, windowsOf } from "./windows";

export class Session {
  state: SessionState = OPENING;
  around: Surroundings | null = null;
  histories: Histories = NO_HISTORIES;
  private readonly time: TimeAtWork;
  private readonly login: Login;
  private readonly lock: FirstReadLock;
  private readonly desks: Desks;
  private readonly onward: Onward;
  private readonly away: TakenAway;
  readonly givingUp: GivingUp;
  private readonly weighing = new Weighing();
  private readonly pauses = new PauseWatch();

  constructor(
    views: FilmPair,
    private readonly account: string,
    private readonly tell: (state: SessionState) => void,
    private readonly windows: Windows = windowsOf(account),
  ) {
    this.time = new TimeAtWork(windows, () => this.reportTime());
    this.desks = new Desks(views, (stored, view) => this.layOut(stored, view));
    this.onward = new Onward(this.desks, this);
    this.away = new TakenAway(this.desks, this.onward, this);
    this.login = new Login(
      account,
      (login) => this.set({ login }),
      () => this.loggedIn(),
    );
    this.givingUp = new GivingUp(this.desks, this.away, this.login, account, this);
    this.lock = new FirstReadLock({
      isAt: (desk) => desk === this.desk,
      locked: () => this.set({ isSigning: false }),
      notLocked: (desk, sentence) => {
        if (desk !== this.desk) return;
        this.set({ isSigning: false, refusal: `Not locked yet. ${sentence}` });
      },
      unconfirmed: (_, sentence) => {
        const again =
          "It is asked again by itself until it answers; till then your first read stays as it is.";
        this.set({ refusal: `Whether it is locked is not known: ${sentence} ${again}` });
      },
      lockedOut: () => this.login.findOut(),
    });
    views.onMade((view) => this.listenTo(view));
  }

  private get desk(): Desk | null {
    return this.desks.shown;
  }

  private listenTo(view: FilmView): void {
    const room = (): Room | undefined => (this.desk?.view === view ? this.desk.room : undefined);
    view.onRegionDrawn((uid, box) => room()?.regionDrawn(uid, box));
    view.onRegionNotDrawn(() => room()?.regionNotDrawn());
    view.onRegionChosen((uid) => room()?.walking.toRegion(uid));
    view.onRegionHovered((uid) => room()?.walking.hoverRegion(uid));
    view.onDisplayChanged((display) => room()?.displayChanged(display));
    view.onMeasured(() => room()?.films.lines.measured());
    view.onLineBegun(() => room()?.films.lines.begun());
    view.onImageLost((problem) => room()?.lose(problem.message));
  }

  /** The page's own case: the page has told the server that it is open. */
  async start(uid: string): Promise<void> {
    const database = await openDatabase().catch(() => null);
    const outbox = await rescue(localStorage, database ? outboxIn(database) : outboxInMemory());
    if (database) this.histories = historiesIn(database, this.account);
    await this.histories.dropOthers();
    this.around = { account: this.account, outbox, storage: localStorage, send };
    if (await this.open(uid, `/api/readings/${uid}/`)) void this.desks.prepareNext();
    const leftovers = await sendLeftovers(outbox, this.around, (reading) => this.desks.isOpen(reading));
    this.set({ leftovers });
  }

  async open(uid: string, address: string): Promise<Desk | null> {
    this.desks.putAway();
    this.desks.wanted = uid;
    this.set({ stage: { kind: "opening" }, isSigning: false, refusal: null });
    const answer = await getJson<Reading>(address);
    if (this.desks.wanted !== uid) return null;
    if (answer.kind !== "done") {
      if (this.around && (await this.away.takeUnseen(uid, answer, this.around))) return null;
      this.set({ stage: { kind: "failed", sentence: answer.sentence } });
      if (answer.kind === "locked-out") await this.login.findOut();
      return null;
    }
    const desk = await this.layOut(answer.body, this.desks.views.front());
    if (desk.saver.isReporting) {
      this.desks.show(desk);
      this.away.showReporting(desk);
      void desk.saver.flush();
      return null;
    }
    const { closed } = answer.body;
    if (closed) {
      this.desks.show(desk);
      this.away.take(desk, { kind: "closed", sentence: closed.sentence, mayTake: closed.may_take });
      return null;
    }
    this.show(desk);
    void desk.saver.flush();
    await desk.room.loadFilm();
    return desk;
  }

  private layOut(stored: Reading, view: FilmView): Promise<Desk> {
    return layOut(stored, view, this.around as Surroundings, this.histories, {
      roomChanged: (desk, state) => this.roomChanged(desk, state),
      saveChanged: (desk, state) => void this.saveChanged(desk, state),
      signed: (desk, signed) => void this.onward.signed(desk, signed),
      notSigned: (desk, sentence) => this.onward.notSigned(desk, sentence),
      reported: (desk, reported) => void this.onward.reported(desk, reported),
    });
  }

  show(desk: Desk): void {
    const { room, saver } = desk;
    this.desks.show(desk);
    this.time.begin();
    this.set({
      stage: { kind: "open", room, state: room.state, save: this.desks.save(saver.state) },
      seconds: room.state.reading.active_seconds,
      isSigning: saver.isSigning,
      refusal: null,
      doubts: [],
    });
  }

  /** A key, click or movement: the reader is at work. */
  signOfLife(): void {
    const { desk } = this;
    if (desk === null || desk.room.state.reading.signed_at) return;
    if (isHelpOpen()) return this.time.leaveOut();
    this.time.sign();
    const seconds = this.time.take();
    desk.room.addActiveTime(seconds);
    if (seconds > 0) void this.desks.next.askWhetherItMayBeSeen();
    this.tellTime(desk);
  }

  private tellTime(desk: Desk): void {
    const seconds = desk.room.state.reading.active_seconds + this.time.pendingSeconds;
    if (seconds !== this.state.seconds) this.set({ seconds });
  }

  /** This window has the focus again. */
  turnBack(): void {
    this.retrySaving();
    this.signOfLife();
    void this.lookForPause();
  }

  private async lookForPause(): Promise<void> {
    const { desk } = this;
    if (desk === null || !(await this.pauses.hasEnded(desk)) || desk !== this.desk) return;
    await this.desks.prepareNext();
  }

  /** Another window has the focus now, or another program. */
  turnAway(): void {
    if (isHelpOpen()) this.time.leaveOut();
    this.time.stop();
    this.reportTime();
  }

  /** Before another window reports, so that the server finds room for both. */
  private reportTime(): void {
    this.desk?.room.addActiveTime(this.time.take({ atLeast: 1 }));
  }

  retryFilm(): void {
    void this.desk?.room.loadFilm();
  }

  retrySaving(): void {
    this.desks.flush();
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

  async reopen(): Promise<void> {
    const uid = this.desks.wanted;
    if (uid !== null && (await this.open(uid, `/api/readings/${uid}/`))) void this.desks.prepareNext();
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
    else if (this.state.stage.kind === "open" && this.desk?.room.state.film.kind === "wrong")
      this.retryFilm();
  }

  /** Leaves nothing to chance when the page goes away: what waits for a pause goes into the outbox now. */
  leave(): void {
    this.turnAway();
    this.gather();
    this.desk?.saver.leave();
  }

  /** The page is taken down. */
  end(): void {
    this.windows.close();
  }

  private gather(): void {
    this.reportTime();
    this.desk?.room.commitAll();
  }

  /** The signature goes the way of every change, and the next case is shown meanwhile where it is ready. */
  async sign(): Promise<void> {
    const { desk } = this;
    if (desk?.room.state.reading.signed_at) return this.onward.from(desk);
    if (desk === null || desk.room.films.bringBack() || !desk.room.canRate) return;
    if (this.state.login.who !== "in") return this.askToLogIn();
    this.gather();
    // A signature that waited for what was refused would sign by itself on the day on which that is settled.
    if (desk.saver.isRefused) {
      return this.set({ refusal: "Not signed: first settle what the server refused, said above." });
    }
    const { reading } = desk.room.state;
    if (gaps(reading).length > 0) {
      const what = reading.stage === "first_read" ? "locked" : "signed";
      this.set({ refusal: `Not ${what} yet. To do: ${leftToDo(reading)}.` });
      return desk.room.walking.goToFirstGap();
    }
    if (!hasItsFilm(desk)) return;
    const doubts = this.weighing.before(reading);
    this.set({ doubts });
    if (doubts.length > 0) return;
    desk.room.isSigning = true;
    if (reading.stage === "first_read") {
      this.set({ isSigning: true, refusal: null, notice: null });
      return this.lock.ask(desk);
    }
    this.onward.sign(desk);
  }

  /** A film of the case shows a name. */
  reportName(film: string): void {
    const { desk } = this;
    if (desk === null) return;
    this.gather();
    this.away.report(desk, film);
  }

  private roomChanged(desk: Desk, state: RoomState): void {
    const { stage } = this.state;
    if (desk !== this.desk || stage.kind !== "open") return;
    const wasRated = state.reading !== stage.state.reading;
    const isNewlyWrong = state.film !== stage.state.film && state.film.kind === "wrong";
    const isComplete = wasRated && gaps(state.reading).length === 0;
    if (isComplete && gaps(stage.state.reading).length > 0) void this.desks.next.askWhetherItMayBeSeen();
    const said = wasRated ? { refusal: null, doubts: [], notice: null } : {};
    this.set({ stage: { ...stage, state, save: this.desks.save(desk.saver.state) }, ...said });
    if (isNewlyWrong && state.film.isLockedOut) void this.login.findOut();
  }

  private async saveChanged(desk: Desk, save: SaveState): Promise<void> {
    if (desk !== this.desk && desk !== this.desks.left) return;
    const { problem } = save;
    // Where nothing waited, nothing was asked of the server, and it has confirmed nothing.
    if (problem === null && save.numWaiting === 0 && this.isWaiting) {
      void this.login.confirmed();
      void this.lookForPause();
    }
    if (this.state.stage.kind === "reported" && desk === this.desk) return this.reportingChanged(desk, save);
    if (problem?.kind === "out-of-use" || problem?.kind === "closed") return this.away.take(desk, problem);
    if (problem?.kind === "over") desk.room.isOver = true;
    this.showSaving();
    await this.lock.savingChanged(desk);
    if (problem?.kind === "locked-out") await this.login.findOut();
  }

  /** Whether something waited for the server when that was shown last. */
  private get isWaiting(): boolean {
    const { stage } = this.state;
    return "save" in stage && (stage.save.numWaiting > 0 || stage.save.problem !== null);
  }

  private async reportingChanged(desk: Desk, save: SaveState): Promise<void> {
    this.away.showReporting(desk);
    if (save.problem?.kind === "locked-out") await this.login.findOut();
  }

  showSaving(): void {
    const { stage } = this.state;
    if (stage.kind !== "open" || this.desk === null) return;
    this.set({ stage: { ...stage, save: this.desks.save(this.desk.saver.state) } });
  }

  set(part: Partial<SessionState>): void {
    this.state = { ...this.state, ...part };
    this.tell(this.state);
  }
}

function isHelpOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** One reader at one case: every key, click and drag becomes a change that is shown at once and saved at once. */
import type { Change, Reading, Side, Step, Verdict } from "../api/reading";
import { type Display, type FilmView, WrongImage } from "../viewer/film";
import type { Box } from "../viewer/geometry";
import type { Action } from "./actions";
import { annotate, annotation } from "./changes";
import { FilmWork } from "./film-work";
import { isTooNarrowForFour } from "./films";
import { firstPlace } from "./gaps";
import { KeptLook } from "./kept-look";
import { marksFor } from "./marks";
import { hasTwo, type Place } from "./place";
import { Rating } from "./rating";
import { CaseRecord, type Past } from "./record";
import { RegionWork } from "./region-work";
import { atOpening, type RoomState, type SaveChange } from "./room-state";
import { Texts } from "./texts";
import { NO_DEEDS } from "./undo";
import { Walking } from "./walking";
import type { Writing } from "./writing";

type WhyLost = Pick<WrongImage, "isMissing" | "isLockedOut">;

export class Room {
  state: RoomState;
  readonly films: FilmWork;
  readonly regions: RegionWork;
  readonly texts: Texts;
  readonly walking: Walking;
  private readonly rating: Rating;
  private readonly record: CaseRecord;
  private readonly look: KeptLook;

  constructor(
    reading: Reading,
    readonly view: FilmView,
    save: SaveChange,
    private readonly tell: (state: RoomState) => void,
    past: Past = { deeds: NO_DEEDS, keep: () => {} },
  ) {
    this.state = atOpening(reading, past.deeds);
    this.films = new FilmWork(this);
    this.regions = new RegionWork(this);
    this.texts = new Texts(this);
    this.walking = new Walking(this);
    this.rating = new Rating(this);
    this.record = new CaseRecord(this, save, past);
    this.look = new KeptLook(this);
  }

  /** The signature is on its way. */
  isSigning = false;

  /** Nothing of the case can be saved any more. */
  isOver = false;

  /** Nothing can be rated before this very film is on screen. */
  get canRate(): boolean {
    return this.isOpen && !this.films.covers;
  }

  private get isOpen(): boolean {
    const { film, reading } = this.state;
    return film.kind === "shown" && reading.signed_at === null && !this.isSigning && !this.isOver;
  }

  async loadFilm(): Promise<void> {
    const { instance } = this.state.reading;
    this.set({ film: { kind: "loading" }, drawing: null, looked: null, isMagnifying: false, ruler: null });
    try {
      const values = await this.view.showImage({
        url: instance.film_url,
        sopInstanceUid: instance.sop_instance_uid,
        sha256: instance.file_sha256,
      });
      this.films.lines.show(this.state.reading);
      this.set({ film: { kind: "shown", values } });
      this.look.showAgain();
      this.walking.look();
    } catch (error) {
      if (!(error instanceof WrongImage)) throw error;
      this.lose(error.message, error);
    }
  }

  lose(
    sentence: string,
    { isMissing, isLockedOut }: WhyLost = { isMissing: false, isLockedOut: false },
  ): void {
    this.set({
      film: { kind: "wrong", sentence, isMissing, isLockedOut },
      display: null,
      drawing: null,
      writing: null,
      looked: null,
    });
    this.view.showRegions([]);
  }

  /** Escape ends something here. */
  get isBusy(): boolean {
    const { writing, drawing, tool, isMagnifying, looked } = this.state;
    return writing !== null || drawing !== null || tool === "measure" || isMagnifying || looked !== null;
  }

  /** `isRepeat`: the key is held down. */
  perform(action: Action, isRepeat = false): void {
    if (this.state.film.kind !== "shown") return;
    if (action.kind === "cancel" && this.state.writing === null && this.regions.giveUp()) return;
    if (action.kind === "done" && this.state.writing !== null) return this.finishWriting(this.state.writing);
    if (action.kind !== "nudge" && action.kind !== "resize") this.commit();
    if (this.state.said !== null) this.set({ said: null });
    if (this.films.perform(action, isRepeat)) return;
    if (action.kind === "all-regions") return this.lookAt({ showsAll: !this.state.showsAll });
    if (action.kind === "hide-regions") return this.lookAt({ isHidden: true });
    const wentOn = this.rating.takeWentOn();
    // Whoever walks on out of habit is there already.
    if (wentOn !== null && action.kind === "next-region") return;
    if (wentOn?.to === "item" && action.kind === "walk" && action.by === 1) return;
    switch (action.kind) {
      case "walk":
        return this.walking.walk(action.by);
      case "next-region":
        return this.walking.toNextRegion();
      case "next-disputed":
        return this.walking.toNextDisputed();
      case "compare":
        return this.compare();
      case "swap":
        return this.texts.turnFinding() ? undefined : this.walking.swap();
      case "cancel":
        if (this.state.writing === null && (this.films.cancel() || this.walking.leaveChangeOfMind())) return;
        return this.set({ drawing: null, fresh: null, writing: null });
      case "nudge":
        if (!this.films.move("to", action.x, action.y) && this.canRate) this.regions.move(action);
        return;
      case "resize":
        if (!this.films.move(action.corner === "start" ? "from" : "to", action.x, action.y) && this.canRate)
          this.regions.move(action);
        return;
      default:
        if (this.isOpen && this.films.bringBack()) return;
        if (this.canRate) this.rate(action, wentOn?.from);
    }
  }

  private lookAt(at: Partial<RoomState>): void {
    this.rating.looked();
    this.set(at);
  }

  leaveMeasuring(): void {
    this.films.leaveMeasuring();
  }

  /** In a narrow window the outputs take the other film's place, as it takes theirs. */
  private compare(): void {
    if (!hasTwo(this.state.reading)) return;
    const isComparing = !this.state.isComparing;
    const makesRoom = isComparing && this.state.looked?.layout === "beside" && isTooNarrowForFour();
    if (makesRoom) this.films.look(null);
    const said = makesRoom ? "The other film is closed: the window is too narrow for both." : null;
    this.set({ isComparing, said });
  }

  resized(): void {
    this.films.makeRoom();
  }

  /** A key came up: what it did while it was held is over. */
  released(action: Action): void {
    if (action.kind === "hide-regions") this.showRegionsAgain();
    if (action.kind === "magnify") this.films.released();
  }

  showRegionsAgain(): void {
    if (this.state.isHidden) this.set({ isHidden: false });
  }

  goTo(place: Place): void {
    this.walking.goTo(place);
  }

  moved(): void {
    this.rating.takeWentOn();
  }

  judgeRegion(region: string, verdict: Verdict, box: Box | null = null): void {
    this.change(annotate(region, verdict, box));
    this.set({ drawing: null });
  }

  rateAsTwin(side: Side, step: Step | null): void {
    if (this.canRate) this.rating.takeOver(side, step);
  }

  sayMissedByBoth(finding: string): void {
    if (this.canRate) this.rating.sayMissedByBoth(finding);
  }

  startDrawing(region: string): void {
    if (this.canRate) this.regions.open(region);
  }

  regionDrawn(region: string, box: Box): void {
    this.commit();
    if (!this.canRate) return;
    this.regions.drawn(region, box);
    const isModels = annotation(this.state.reading, region)?.verdict === "adjusted";
    this.set({ said: isModels ? "Redrawn. Enter: done, and on." : null });
  }

  regionNotDrawn(): void {
    if (!this.canRate || this.state.drawing === null) return;
    this.set({ said: "No region yet: press on one corner of it and drag to the opposite one. Esc: none." });
  }

  /** The first read is locked, and the server has sent what was said of the film. */
  reveal(reading: Reading): void {
    this.record.forget();
    this.set({ reading, numUndoable: 0, numRedoable: 0 });
    this.goTo(firstPlace(reading));
    // Not over the film: the first region to be judged may lie there. What was said there was of the first read.
    this.set({ hint: "The outputs are shown.", said: null });
  }

  /** Its reader study is paused no longer: a next case may follow. */
  goesOn({ next }: Pick<Reading, "next">): void {
    this.set({ reading: { ...this.state.reading, pause: null, next } });
  }

  displayChanged(display: Display): void {
    this.set({ display });
    this.films.follow("rated");
    this.look.changed();
  }

  addActiveTime(seconds: number): void {
    if (seconds > 0 && this.isOpen) this.record.add({ kind: "add_active_time", payload: { seconds } }, null);
  }

  /** Saves what still waits for a pause in the keys. */
  commit(): void {
    this.texts.commit();
    this.regions.commit();
    this.films.lines.commit();
  }

  commitAll(): void {
    this.commit();
    this.look.save();
  }

  /** Shows a change and saves it. Changes of one group in a row are undone together. */
  change(change: Change, group: string | null = null): void {
    if (this.canRate) this.record.add(change, group);
  }

  /** The same of several at once, of items apart from each other. */
  changeAll(changes: readonly Change[], name: string): void {
    if (this.canRate) this.record.addAll(changes, name);
  }

  /** Asked at the moment of each change: else nothing is on screen, and nothing can be rated. */
  hasItsFilm(): boolean {
    const onScreen = this.view.sopInstanceUidOnScreen();
    if (onScreen !== null && onScreen === this.state.reading.instance.sop_instance_uid) return true;
    this.lose("The film on screen is no longer the one that this page is about.");
    return false;
  }

  /** The focus stays on what the text belongs to; where the text is the answer itself, it goes on. */
  private finishWriting(writing: Writing): void {
    this.texts.end(writing);
    if (writing.field === "text") this.rating.goOn();
    if (writing.field === "impression") this.walking.walk(1);
  }

  /** `leaving`: the output whose last item was rated just now, where the focus went on by itself. */
  private rate(action: Action, leaving?: Side): void {
    switch (action.kind) {
      case "redraw":
        return this.isRedrawn ? this.rating.perform({ kind: "done" }) : this.regions.toggle();
      case "add-region":
        return this.regions.add();
      case "delete-region":
        return this.regions.remove();
      case "note":
        return this.texts.startNote();
      case "edit":
        return this.texts.startEdit();
      case "change-of-mind":
        return this.walking.toChangeOfMind();
      case "missed-finding":
        return this.texts.startFinding(leaving);
      case "undo":
        return this.record.again("back");
      case "redo":
        return this.record.again("forth");
      case "points":
      case "cannot-judge":
      case "verdict":
      case "as-twin":
      case "done":
        return this.rating.perform(action);
    }
  }

  /** Open for redrawing, and moved by now: the same key again means that it is right. */
  private get isRedrawn(): boolean {
    const { drawing, reading } = this.state;
    return drawing !== null && annotation(reading, drawing)?.verdict === "adjusted" && this.regions.isMoved;
  }

  set(part: Partial<RoomState>): void {
    const before = this.state.reading.measured_lines;
    this.state = { ...this.state, ...part };
    if (this.state.reading.measured_lines !== before) this.films.lines.show(this.state.reading);
    this.films.showLines(!this.state.isHidden);
    this.view.drawRegion(this.state.drawing);
    this.view.showRegions(this.films.covers ? [] : marksFor(this.state.reading, this.state));
    this.tell(this.state);
  }
}

/** How a reader looks at films: the tools on the one that is rated, and the other films of the case. */
import type { Reading } from "../api/reading";
import type { Display, FilmView } from "../viewer/film";
import type { RulerEnd } from "../viewer/ruler";
import type { Action } from "./actions";
import { companion, filmAfter, filmsOf, isOfOneView, isTooNarrowForFour, type Layout } from "./films";
import { type LinesHost, MeasuredLines } from "./lines";
import type { RoomState } from "./room-state";
import { SideBySide } from "./side-by-side";

/** How far an arrow key moves the magnifier. Screen pixels. */
const LENS_STEP_PX = 8;

export interface FilmHost extends LinesHost {
  /** Before another film is looked at. */
  commitAll(): void;
}

export class FilmWork {
  /** The viewport of the other film, while one is looked at. */
  private other: FilmView | null = null;
  private isLensHeld = false;
  private isFollowing = false;
  readonly lines: MeasuredLines;
  readonly pair: SideBySide;

  constructor(private readonly host: FilmHost) {
    this.pair = new SideBySide(host, () => this.other);
    this.lines = new MeasuredLines(host, () => this.view);
  }

  /** Where the tools work: on the other film while it stands in place of the rated one. */
  private get view(): FilmView {
    return this.covers && this.other !== null ? this.other : this.host.view;
  }

  /** The rated film is out of sight, so nothing may be rated. */
  get covers(): boolean {
    return this.host.state.looked?.layout === "instead";
  }

  /** True where the key was for a film. `isRepeat`: the key is held. */
  perform(action: Action, isRepeat: boolean): boolean {
    switch (action.kind) {
      case "tool":
        this.useTool(action.tool);
        return true;
      case "next-region":
        return this.host.state.tool === "measure" && this.lines.takeNext();
      case "delete-region":
        return this.host.state.tool === "measure" && this.lines.remove();
      case "done":
        return this.host.state.tool === "measure" && this.lines.take();
      case "zoom":
        this.pair.lead().zoomBy(action.factor);
        return true;
      case "invert":
        this.pair.invert();
        return true;
      case "fit":
        this.pair.lead().fit();
        return true;
      case "actual-size":
        this.pair.lead().showActualSize();
        return true;
      case "preset":
        this.pair.nextPreset();
        return true;
      case "magnify":
        if (isRepeat) this.isLensHeld = true;
        else this.magnify(!this.host.state.isMagnifying);
        return true;
      case "other-film":
        this.look(filmAfter(this.host.state.reading, this.host.state.looked));
        return true;
      case "film-layout":
        this.turnLayout();
        return true;
      case "link-films":
        this.turnLink();
        return true;
      default:
        return false;
    }
  }

  /** How the film is seen on which the tools work. */
  display(): Display | null {
    return this.view.display();
  }

  presets(): readonly string[] {
    return this.view.presets();
  }

  choosePreset(index: number): void {
    this.pair.choosePreset(this.view, index);
  }

  /** Where a line is there already, its ends are in hand first; chosen again, measuring suggests a further one. */
  private useTool(tool: RoomState["tool"]): void {
    const wasMeasuring = this.host.state.tool === "measure";
    if (tool !== "measure" || !wasMeasuring) this.chooseTool(tool);
    if (tool === "measure" && (wasMeasuring || this.view.rulers().length === 0)) this.lines.suggest();
  }

  private chooseTool(tool: RoomState["tool"]): void {
    this.host.view.setDragTool(tool);
    this.other?.setDragTool(tool);
    this.host.set({ tool });
  }

  private magnify(isMagnifying: boolean): void {
    this.isLensHeld = false;
    this.host.view.setMagnifying(isMagnifying && !this.covers);
    this.other?.setMagnifying(isMagnifying);
    this.host.set({ isMagnifying });
  }

  /** The magnifier's key came up: held, it was meant for as long as that. */
  released(): void {
    if (this.isLensHeld) this.magnify(false);
  }

  /** The keys of lines are those of regions, and mean only one of the two. */
  leaveMeasuring(): void {
    if (this.host.state.tool === "measure") this.chooseTool("window");
  }

  /** Arrow keys, where a tool has them: the ruler's end, or the magnifier. */
  move(end: RulerEnd, x: number, y: number): boolean {
    if (this.host.state.tool === "measure") {
      this.lines.move(end, { x, y });
      return true;
    }
    if (!this.host.state.isMagnifying) return false;
    this.view.moveMagnifier({ x: x * LENS_STEP_PX, y: y * LENS_STEP_PX });
    return true;
  }

  /** Escape, one thing after the other: a line begun, the tool, the magnifier, the other film. Lines stay. True
   * where it had one. */
  cancel(): boolean {
    if (this.view.giveUpLine()) return true;
    if (this.host.state.tool === "measure") {
      this.chooseTool("window");
      return true;
    }
    if (this.host.state.isMagnifying) {
      this.magnify(false);
      return true;
    }
    if (this.host.state.looked === null) return false;
    this.look(null);
    return true;
  }

  look(film: string | null, layout: Layout = this.host.state.looked?.layout ?? "instead"): void {
    const { reading } = this.host.state;
    const shown = companion(reading, film === null ? null : { film, layout });
    if (shown === null && this.host.state.looked === null) {
      const said = filmsOf(reading).length === 0 ? "This case has no other film." : null;
      return this.host.set({ said });
    }
    this.host.commitAll();
    if (shown?.uid !== this.host.state.looked?.film) this.other = null;
    this.host.view.setMagnifying(false);
    const looked = shown === null ? null : { film: shown.uid, layout };
    this.pair.leaving(this.host.state.looked, looked);
    const isSame = shown !== null && shown.uid === this.host.state.looked?.film;
    this.host.set({
      looked,
      isLinked: isSame ? this.host.state.isLinked : isOfOneView(reading, shown),
      isMagnifying: false,
      drawing: null,
      writing: null,
      said: null,
    });
    this.makeRoom();
    this.lines.tell();
  }

  /** Two films and both outputs may stand beside each other no longer, because the window became narrower too. */
  makeRoom(): void {
    const { looked, isComparing } = this.host.state;
    if (looked?.layout !== "beside" || !isComparing || !isTooNarrowForFour()) return;
    const said = "One output at a time: the window is too narrow for both beside two films.";
    this.host.set({ isComparing: false, said });
  }

  private turnLayout(): void {
    const { looked, reading } = this.host.state;
    const film = looked?.film ?? filmsOf(reading)[0]?.uid ?? null;
    this.look(film, looked?.layout === "beside" ? "instead" : "beside");
  }

  private turnLink(): void {
    const { looked, isLinked } = this.host.state;
    if (looked === null) return this.host.set({ said: "No other film is shown." });
    const said = isLinked ? "Each film zooms and moves by itself." : "Both films zoom and move together.";
    this.host.set({ isLinked: !isLinked, said });
    this.follow("rated");
  }

  /** One of the films was zoomed or moved: the other shows the same part of it, where they are linked. */
  follow(moved: "rated" | "other"): void {
    if (this.other === null || !this.host.state.isLinked || this.isFollowing) return;
    const [leader, follower] =
      moved === "rated" ? [this.host.view, this.other] : [this.other, this.host.view];
    const place = leader.place();
    if (place === null || JSON.stringify(place) === JSON.stringify(follower.place())) return;
    this.isFollowing = true;
    follower.showPlace(place);
    this.isFollowing = false;
  }

  /** On the rated film and on the other. */
  showLines(areShown: boolean): void {
    this.host.view.showRulers(areShown);
    this.other?.showRulers(areShown);
  }

  /** True where the rated film had to be brought back first, so that nothing is rated on another image. */
  bringBack(): boolean {
    if (!this.covers) return false;
    this.look(null);
    this.host.set({ said: "The rated film is back. Nothing was rated: press the key again." });
    return true;
  }

  /** The other film's viewport, made and disposed of by the page. */
  attach(view: FilmView): void {
    this.other = view;
    view.setDragTool(this.host.state.tool);
    view.onMeasured(() => this.lines.measured());
    view.onLineBegun(() => this.lines.begun());
    // The tools show how this film is seen while it stands in place of the rated one.
    view.onDisplayChanged(() => {
      this.follow("other");
      this.host.set({});
    });
    this.follow("rated");
  }
}

/** Whether a case has something to look at beside its film. */
export function hasOtherFilms(reading: Reading): boolean {
  return filmsOf(reading).length > 0;
}

/** How a reader looks at films: the tools on the one that is rated, and the other films of the case. */
import type { Change, Reading } from "../api/reading";
import type { Display, FilmView } from "../viewer/film";
import type { Point, Size } from "../viewer/geometry";
import { inWords, type Line, type RulerEnd, startingLine, withEndMoved, withLine } from "../viewer/ruler";
import { companion, filmAfter, filmsOf, type Layout } from "./films";
import { asStored, linesOf } from "./lines";
import type { RoomState } from "./room-state";
import type { Action } from "./shortcuts";

/** How far an arrow key moves the magnifier. Screen pixels. */
const LENS_STEP_PX = 8;
/** After the last arrow key a line is saved. */
const PAUSE_MS = 500;

export interface FilmHost {
  readonly state: RoomState;
  readonly view: FilmView;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
  /** Before another film is looked at. */
  commitAll(): void;
}

export class FilmWork {
  /** The viewport of the other film, while one is looked at. */
  private other: FilmView | null = null;
  private isLensHeld = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly host: FilmHost) {}

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
        return this.takeNextLine();
      case "delete-region":
        return this.removeLine();
      case "zoom":
        this.view.zoomBy(action.factor);
        return true;
      case "invert":
        this.view.setInverted(!this.view.display()?.inverted);
        return true;
      case "fit":
        this.view.fit();
        return true;
      case "actual-size":
        this.view.showActualSize();
        return true;
      case "preset":
        this.choosePreset(
          ((this.view.display()?.preset ?? -1) + 1) % Math.max(this.view.presets().length, 1),
        );
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
    this.view.choosePreset(index);
  }

  /** The tool again: a further line by keys. */
  private useTool(tool: RoomState["tool"]): void {
    const size = this.view.filmSize();
    if (tool !== "measure" || this.host.state.tool !== "measure" || size === null)
      return this.chooseTool(tool);
    const lines = this.view.rulers();
    if (lines.length > 0) this.putLines(withLine(lines, startingLine(size, lines.length), null));
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

  /** Arrow keys, where a tool has them: the ruler's end, or the magnifier. */
  move(end: RulerEnd, x: number, y: number): boolean {
    if (this.host.state.tool === "measure") {
      const size = this.view.filmSize();
      if (size) this.moveLine(end, { x, y }, size);
      return true;
    }
    if (!this.host.state.isMagnifying) return false;
    this.view.moveMagnifier({ x: x * LENS_STEP_PX, y: y * LENS_STEP_PX });
    return true;
  }

  private moveLine(end: RulerEnd, delta: Point, size: Size): void {
    const lines = this.view.rulers();
    const inHand = this.view.rulerInHand();
    const line = lines[inHand];
    const moved = line ? withEndMoved(line, end, delta, size) : startingLine(size);
    this.view.setRulers(withLine(lines, moved, inHand), inHand);
    this.tell();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), PAUSE_MS);
  }

  private putLines(lines: readonly Line[]): void {
    this.view.setRulers(lines);
    this.measured();
  }

  /** Nothing where no line is in hand: then the keys are the regions'. */
  private takeNextLine(): boolean {
    const lines = this.view.rulers();
    if (this.host.state.tool !== "measure" || lines.length === 0) return false;
    this.view.setRulers(lines, (this.view.rulerInHand() + 1) % lines.length);
    return true;
  }

  private removeLine(): boolean {
    const lines = this.view.rulers();
    if (this.host.state.tool !== "measure" || lines.length === 0) return false;
    const inHand = this.view.rulerInHand();
    this.putLines(lines.filter((_, at) => at !== inHand));
    return true;
  }

  /** The lines on the rated film are kept with the reading; those on another film, or after the signature, are not. */
  commit(): void {
    clearTimeout(this.timer);
    const { reading, film } = this.host.state;
    if (film.kind !== "shown" || this.areStored(reading)) return;
    const lines = asStored(this.host.view.rulers());
    this.host.change({ kind: "measure_lines", payload: { lines } });
  }

  /** As the reading has them: after it is opened, and after something was taken back. */
  showLines(reading: Reading): void {
    if (!this.areStored(reading)) this.host.view.setRulers(linesOf(reading));
  }

  private areStored({ measured_lines: stored }: Reading): boolean {
    return JSON.stringify(asStored(this.host.view.rulers())) === JSON.stringify(stored);
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
    this.other = null;
    this.host.view.setMagnifying(false);
    const looked = shown === null ? null : { film: shown.uid, layout };
    this.host.set({
      looked,
      isMagnifying: false,
      drawing: null,
      writing: null,
      said: null,
    });
    this.tell();
  }

  private turnLayout(): void {
    const { looked, reading } = this.host.state;
    const film = looked?.film ?? filmsOf(reading)[0]?.uid ?? null;
    this.look(film, looked?.layout === "beside" ? "instead" : "beside");
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
    view.onMeasured(() => this.measured());
    // The tools show how this film is seen while it stands in place of the rated one.
    view.onDisplayChanged(() => this.host.set({}));
  }

  /** By the mouse or a finger. */
  measured(): void {
    this.commit();
    this.tell();
  }

  private tell(): void {
    const ruler = inWords(this.view.rulerLabels());
    if (ruler !== this.host.state.ruler) this.host.set({ ruler });
  }
}

/** Whether a case has something to look at beside its film. */
export function hasOtherFilms(reading: Reading): boolean {
  return filmsOf(reading).length > 0;
}

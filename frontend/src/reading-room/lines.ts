/** The lines that a reader measures on a film, and how the reading keeps those on the film that is rated. */
import type { Change, Reading } from "../api/reading";
import type { FilmView } from "../viewer/film";
import type { Point } from "../viewer/geometry";
import { inWords, type Line, type RulerEnd, startingLine, withEndMoved, withLine } from "../viewer/ruler";
import type { RoomState } from "./room-state";

/** After the last arrow key a line is saved. */
const PAUSE_MS = 500;

export interface LinesHost {
  readonly state: RoomState;
  /** Of the film that is rated. */
  readonly view: FilmView;
  set(part: Partial<RoomState>): void;
  change(change: Change): void;
}

export class MeasuredLines {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: LinesHost,
    /** Of the film that the tools are on. */
    private readonly view: () => FilmView,
  ) {}

  /** Only suggests a further line: whoever drags one does not mean it. */
  suggest(): void {
    const view = this.view();
    const size = view.filmSize();
    if (size === null) return;
    view.suggestRuler(startingLine(size, view.rulers().length));
    this.host.set({ said: "Drag a line, or take the suggested one by an arrow key or Enter." });
  }

  /** The suggested line is meant. False where there is none. */
  take(): boolean {
    const line = this.view().suggestedRuler();
    if (line !== null) this.put(withLine(this.view().rulers(), line, null));
    return line !== null;
  }

  move(end: RulerEnd, delta: Point): void {
    if (this.take()) return;
    const view = this.view();
    const size = view.filmSize();
    if (size === null) return;
    const lines = view.rulers();
    const inHand = view.rulerInHand();
    const line = lines[inHand];
    const moved = line ? withEndMoved(line, end, delta, size) : startingLine(size);
    view.setRulers(withLine(lines, moved, inHand), inHand);
    this.tell();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), PAUSE_MS);
  }

  /** False where there is no line: then the key is for something else. */
  takeNext(): boolean {
    const lines = this.view().rulers();
    if (lines.length > 0) this.view().setRulers(lines, (this.view().rulerInHand() + 1) % lines.length);
    return lines.length > 0;
  }

  /** The suggested one, else the one in hand. False where there is no line. */
  remove(): boolean {
    const lines = this.view().rulers();
    if (this.view().suggestedRuler() !== null) {
      this.view().setRulers(lines, this.view().rulerInHand());
      return true;
    }
    const inHand = this.view().rulerInHand();
    if (lines.length > 0) this.put(lines.filter((_, at) => at !== inHand));
    return lines.length > 0;
  }

  /** By a click, which a drag would not need. */
  begun(): void {
    this.host.set({ said: "Click where the line ends. Esc: no line." });
  }

  /** By the mouse or a finger: what was said of how to measure is over. */
  measured(): void {
    this.commit();
    this.host.set({ said: null });
    this.tell();
  }

  /** Those on another film, or drawn after the signature, are not kept. */
  commit(): void {
    clearTimeout(this.timer);
    const { reading, film } = this.host.state;
    if (film.kind !== "shown" || this.areKept(reading)) return;
    const lines = asStored(this.host.view.rulers());
    this.host.change({ kind: "measure_lines", payload: { lines } });
  }

  /** As the reading has them: after it is opened, and after something was taken back. */
  show(reading: Reading): void {
    if (!this.areKept(reading)) this.host.view.setRulers(linesOf(reading));
  }

  tell(): void {
    const ruler = inWords(this.view().rulerLabels());
    if (ruler !== this.host.state.ruler) this.host.set({ ruler });
  }

  private put(lines: readonly Line[]): void {
    this.view().setRulers(lines);
    this.measured();
  }

  private areKept({ measured_lines: kept }: Reading): boolean {
    return JSON.stringify(asStored(this.host.view.rulers())) === JSON.stringify(kept);
  }
}

function linesOf({ measured_lines: kept }: Reading): readonly Line[] {
  return kept.map(([fromX = 0, fromY = 0, toX = 0, toY = 0]) => ({
    from: { x: fromX, y: fromY },
    to: { x: toX, y: toY },
  }));
}

/** From x, y to x, y in tenths of a film pixel: finer than any hand. */
function asStored(lines: readonly Line[]): number[][] {
  return lines.map(({ from, to }) => [from.x, from.y, to.x, to.y].map((at) => Math.round(at * 10) / 10));
}

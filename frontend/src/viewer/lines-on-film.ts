/** The lines that are measured on a film: those that are there, the one in hand, and the one that is on its way. */
import type { Point } from "./geometry";
import type { ShownRuler } from "./overlay";
import { type Line, lineLabels, type RulerSpacing, withLine } from "./ruler";

export class LinesOnFilm {
  private drawn: readonly Line[] = [];
  private at = 0;
  /** In place of the line `at`; null: a further one. */
  private preview: { readonly line: Line; readonly at: number | null; readonly isSuggested?: true } | null =
    null;
  private start: Point | null = null;
  private areShown = true;

  get lines(): readonly Line[] {
    return this.drawn;
  }

  get inHand(): number {
    return this.at;
  }

  get suggested(): Line | null {
    return this.preview?.isSuggested ? this.preview.line : null;
  }

  /** A click began a line, which waits for its other end. */
  get begunAt(): Point | null {
    return this.start;
  }

  clear(): void {
    this.drawn = [];
    this.giveUp();
  }

  set(lines: readonly Line[], inHand = lines.length - 1): void {
    this.drawn = lines;
    this.at = Math.max(inHand, 0);
    this.giveUp();
  }

  beginAt(point: Point): void {
    this.start = point;
    this.preview = null;
  }

  show(line: Line, at: number | null): void {
    this.preview = { line, at };
  }

  suggest(line: Line): void {
    this.start = null;
    this.preview = { line, at: null, isSuggested: true };
  }

  /** What is only on its way goes; the line that a click began waits on. */
  dropPreview(): void {
    this.preview = null;
  }

  giveUp(): void {
    this.start = null;
    this.preview = null;
  }

  /** False where nothing changes. */
  setShown(areShown: boolean): boolean {
    const isOther = areShown !== this.areShown;
    this.areShown = areShown;
    return isOther;
  }

  onScreen(spacing: RulerSpacing | null, isMeasuring: boolean): readonly ShownRuler[] {
    if (!this.areShown) return [];
    const { lines, inHand } = this.now();
    const labels = lineLabels(lines, spacing);
    const measured = lines.map((line, at) => ({
      line,
      label: labels[at] ?? "",
      isInHand: isMeasuring && at === inHand,
      isSuggested: false,
    }));
    const { suggested } = this;
    if (suggested === null) return measured;
    return [
      ...measured.map((ruler) => ({ ...ruler, isInHand: false })),
      { line: suggested, label: "suggested", isInHand: false, isSuggested: true },
    ];
  }

  private now(): { readonly lines: readonly Line[]; readonly inHand: number } {
    const { preview, drawn, at } = this;
    if (preview === null || preview.isSuggested) return { lines: drawn, inHand: at };
    const lines = withLine(drawn, preview.line, preview.at);
    return { lines, inHand: preview.at ?? lines.length - 1 };
  }
}

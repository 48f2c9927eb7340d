/** What the rest of the frontend knows of a film and its viewer; Cornerstone3D stays behind these types. */
import type { Box, Point, Size } from "./geometry";
import type { Line } from "./ruler";
import type { FilmValues, Seen } from "./window";

export interface Film {
  readonly url: string;
  readonly sopInstanceUid: string;
  /** Of the file at `url`, in hex. */
  readonly sha256: string;
}

export interface Display extends Seen {
  /** Screen pixels per film pixel. */
  readonly zoom: number;
  /** Which preset shows the film like this; null for a window of the reader's own. */
  readonly preset: number | null;
  /** The window in words for a tool bar, with the film's table or curve where it is no plain window. */
  readonly label: string;
}

/** Which part of a film is seen, and how close: of two films alike it is the same part. */
export interface FilmPlace {
  /** The whole of it. */
  readonly isFitted: boolean;
  /** Times that which shows the whole. */
  readonly zoom: number;
  /** What is in the middle of the screen, in shares of the film's width and height. */
  readonly middle: Point;
}

export type DragTool = "window" | "pan" | "zoom" | "measure";

/** A region as it is drawn: the same number, colour and dash as its step. */
export interface RegionMark {
  readonly uid: string;
  readonly label: string;
  readonly box: Box;
  /** The model's own box, where the reader moved it. */
  readonly original: Box | null;
  /** 1 to 5: one of the colours --s1 to --s5. */
  readonly colour: number;
  readonly dashed: boolean;
  readonly focused: boolean;
  readonly wrong: boolean;
  /** The model's box has no area or lies outside the film: it stands at the nearest place, marked. */
  readonly flawed: boolean;
  /** Whether its grips resize it and its outline moves it; a drag inside always reaches the film below. */
  readonly adjustable: boolean;
  /** An earlier reader's, by number: an outline of its own dash that takes no click. Null for all others. */
  readonly reader: number | null;
}

/** There are as many dashes as can be told apart; then they begin anew, and the labels tell. */
const NUM_DASHES = 4;

export function dashOf(reader: number): number {
  return ((reader - 1) % NUM_DASHES) + 1;
}

/** The image could not be shown, or another one came: nothing is on screen, and nothing may be rated. */
export class WrongImage extends Error {
  override name = "WrongImage";
  /** The server has no file of it: asking again helps only once an admin has restored it. */
  readonly isMissing: boolean;
  /** The server does not know who asks (any more), or keeps the film from them. */
  readonly isLockedOut: boolean;

  constructor(
    message: string,
    {
      isMissing = false,
      isLockedOut = false,
      cause,
    }: { isMissing?: boolean; isLockedOut?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isMissing = isMissing;
    this.isLockedOut = isLockedOut;
  }
}

export interface FilmView {
  /** Resolves when this very film is on screen; rejects with WrongImage, the viewport blank, where it is not. */
  showImage(film: Film): Promise<FilmValues>;
  /** SOP Instance UID of what is on screen at this moment, read from the image itself; null where blank. */
  sopInstanceUidOnScreen(): string | null;
  showRegions(marks: readonly RegionMark[]): void;
  /** The next drag elsewhere than on its outline draws this region anew; null ends that. */
  drawRegion(uid: string | null): void;
  /** After what stands in the film's corners changed: no label lies there. */
  arrangeLabels(): void;
  bringIntoView(box: Box): void;
  setDragTool(tool: DragTool): void;
  /** As the film was seen before. False where it has no such look: then it stays as it is. */
  seeAgain(seen: Seen): boolean;
  /** The names of the film's stored looks and of windows relative to them; empty where blank. */
  presets(): readonly string[];
  choosePreset(index: number): void;
  setInverted(inverted: boolean): void;
  fit(): void;
  /** One film pixel is one pixel of the screen. */
  showActualSize(): void;
  zoomBy(factor: number): void;
  display(): Display | null;
  place(): FilmPlace | null;
  showPlace(place: FilmPlace): void;
  /** Lines between two film pixels each, with their lengths beside them; `inHand` is the one that keys move. */
  setRulers(lines: readonly Line[], inHand?: number): void;
  rulers(): readonly Line[];
  rulerInHand(): number;
  /** A further line that is drawn but not there yet: gone with the next drag, with other lines or with the tool. */
  suggestRuler(line: Line): void;
  suggestedRuler(): Line | null;
  /** False: none is drawn, and none is lost. */
  showRulers(areShown: boolean): void;
  /** A line was begun by a click and waits for its other end. Gives it up; false where there is none. */
  giveUpLine(): boolean;
  /** What stands beside each line. */
  rulerLabels(): readonly string[];
  filmSize(): Size | null;
  /** A lens that follows the pointer; without one it stands in the middle. */
  setMagnifying(isOn: boolean): void;
  /** By keys, in screen pixels. */
  moveMagnifier(shift: Point): void;
  /** By the mouse or a finger. */
  onMeasured(listener: () => void): void;
  /** A click began a line. */
  onLineBegun(listener: () => void): void;
  onRegionDrawn(listener: (uid: string, box: Box) => void): void;
  /** A click or a drag along a line drew none; the region stays to be drawn. */
  onRegionNotDrawn(listener: () => void): void;
  onRegionChosen(listener: (uid: string) => void): void;
  onRegionHovered(listener: (uid: string | null) => void): void;
  onDisplayChanged(listener: (display: Display) => void): void;
  /** Takes the film off the screen and out of memory. */
  clear(): void;
  /** A viewport behind another one draws its film and no regions. */
  setBehind(isBehind: boolean): void;
  /** Resolves when the film that is shown is on the canvas. */
  drawn(): Promise<void>;
  /** The image on screen stopped being the one that was shown. */
  onImageLost(listener: (problem: WrongImage) => void): void;
  dispose(): void;
}

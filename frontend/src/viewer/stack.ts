/** The one place that speaks to Cornerstone3D: decodes a film, draws it, and knows what is on the canvas. */
import {
  Enums,
  getConfiguration,
  getShouldUseCPURendering,
  init as initCore,
  RenderingEngine,
  type Types,
} from "@cornerstonejs/core";
import type { DataSet } from "dicom-parser";
import { decode } from "./decoding";
import { type Film, WrongImage } from "./film";
import { type Affine, affineThrough, type Point, type Size } from "./geometry";
import { cutPatch, type Patch } from "./lens";
import { fetchFilm, sizeOf, sopInstanceUidOf } from "./part10";
import { dropPicture, isPictureOn, keepPicture, putPicture, renewPicture } from "./picture";
import { type RulerSpacing, rulerSpacing } from "./ruler";
import { NO_SMOOTHING, type Smoothing, smooth, smoothingFor } from "./smoothing";
import { valueRules } from "./value-rules";
import {
  type FilmSurvey,
  greysOf,
  paint,
  type Shade,
  type StoredValues,
  surveyFilm,
  type ValueRules,
} from "./values";
import { type FilmValues, isSameKind, type Look, type Preset, presetsOf, type Window } from "./window";

/** A browser has few WebGL contexts, and takes the oldest away: all films share two, however many are open. */
const NUM_CONTEXTS = 2;

let sharedEngine: RenderingEngine | null = null;

function engineForAll(): RenderingEngine {
  if (sharedEngine === null) {
    const usual = getConfiguration();
    initCore({ ...usual, rendering: { ...usual.rendering, webGlContextCount: NUM_CONTEXTS } });
    sharedEngine = new RenderingEngine("films");
  }
  return sharedEngine;
}

/** A decoded film and the picture painted of it, which is what the viewport holds. */
interface ShownFilm {
  readonly imageId: string;
  readonly picture: Uint8Array;
  readonly size: Size;
  readonly stored: StoredValues;
  readonly header: DataSet;
  readonly rules: ValueRules;
  readonly survey: FilmSurvey;
  readonly presets: readonly Preset[];
}

/** One viewport with at most one film in it. */
export class FilmStack {
  private readonly engine = engineForAll();
  private shown: ShownFilm | null = null;
  private shade: Shade | null = null;
  private greys: Uint8Array = new Uint8Array(1);
  private smoothing: Smoothing = NO_SMOOTHING;
  private isReadyToPaint = true;
  private isStale = false;
  private turn = 0;
  private isFitted = true;

  private isDrawn = false;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly name: string,
  ) {
    this.engine.enableElement({
      viewportId: name,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: [0, 0, 0] },
    });
    this.onRendered(() => {
      this.isDrawn = this.shown !== null;
    });
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(this.name) as Types.IStackViewport;
  }

  async show(film: Film): Promise<FilmValues> {
    this.blank();
    const turn = ++this.turn;
    const { codestream, header } = await fetchFilm(film);
    try {
      return await this.draw(await decode(codestream, header), header, turn);
    } catch (error) {
      if (error instanceof WrongImage) throw error;
      throw new WrongImage("The film was loaded but could not be drawn.", { cause: error });
    }
  }

  private async draw(stored: StoredValues, header: DataSet, turn: number): Promise<FilmValues> {
    const rules = valueRules(header);
    const survey = surveyFilm(stored, rules);
    const [look] = survey.looks;
    const picture = new Uint8Array(stored.length);
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    const imageId = keepPicture(picture, header);
    try {
      await putPicture(imageId, this.viewport);
      if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
      if (!isPictureOn(imageId, this.viewport)) {
        throw new WrongImage("The film was loaded but could not be drawn.");
      }
    } catch (error) {
      dropPicture(imageId);
      throw error;
    }
    const presets = presetsOf(survey.looks);
    this.isDrawn = false;
    this.shown = { imageId, picture, size: sizeOf(header), stored, header, rules, survey, presets };
    this.shade = { look, window: look.window, inverted: false };
    this.fit();
    this.paintPicture();
    this.element.classList.remove("blank");
    return this.values();
  }

  /** Hides the canvas before anything is awaited: no old film is seen under a new film's regions. */
  blank(): void {
    this.element.classList.add("blank");
    if (this.shown !== null) dropPicture(this.shown.imageId);
    this.shown = null;
    this.shade = null;
    this.smoothing = NO_SMOOTHING;
    this.isStale = false;
    this.isDrawn = false;
  }

  sopInstanceUid(): string | null {
    if (this.shown === null || this.element.classList.contains("blank")) return null;
    if (!isPictureOn(this.shown.imageId, this.viewport)) return null;
    return sopInstanceUidOf(this.shown.header);
  }

  values(): FilmValues {
    const { survey, rules } = this.require();
    const { window, table } = this.look();
    const range = table === null ? survey.range : { lower: 0, upper: table.maximum };
    return { initial: window, range, brighterIsHigher: rules.brighterIsHigher };
  }

  filmSize(): Size {
    return this.require().size;
  }

  presets(): readonly Preset[] {
    return this.require().presets;
  }

  /** In mm; null where the film does not say. */
  rulerSpacing(): RulerSpacing | null {
    return rulerSpacing(this.require().header);
  }

  /** A part of the film as it looks now. */
  cut(left: number, top: number, size: Size): Patch {
    const { stored } = this.require();
    const mask = this.greys.length - 1;
    const greyOf = (index: number): number => this.greys[(stored[index] ?? 0) & mask] ?? 0;
    return cutPatch(greyOf, this.filmSize(), left, top, size);
  }

  screenSize(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /**
   * Edges of film pixels to screen pixels. Cornerstone's integer index is a pixel's centre, hence the half;
   * without WebGL it is the pixel's edge.
   */
  affine(): Affine {
    const size = this.filmSize();
    const imageData = this.viewport.getImageData().imageData;
    const toEdge = getShouldUseCPURendering() ? 0 : -0.5;
    const corner = (x: number, y: number): Point => {
      const world = imageData.indexToWorld?.([x + toEdge, y + toEdge, 0]) as Types.Point3;
      const [screenX, screenY] = this.viewport.worldToCanvas(world);
      return { x: screenX, y: screenY };
    };
    return affineThrough(corner(0, 0), corner(size.width, 0), corner(0, size.height), size);
  }

  look(): Look {
    return this.shade?.look ?? this.require().survey.looks[0];
  }

  window(): Window {
    return this.shade?.window ?? this.look().window;
  }

  /** The window that shows the same on the film's first look, or where none does that look's own. */
  windowToKeep(): Window {
    const [first] = this.require().survey.looks;
    return isSameKind(first, this.look()) ? this.window() : first.window;
  }

  isInverted(): boolean {
    return this.shade?.inverted ?? false;
  }

  setWindow(window: Window): void {
    this.setShade({ window });
  }

  setInverted(inverted: boolean): void {
    this.setShade({ inverted });
  }

  choosePreset(preset: Preset): void {
    if ("windowFor" in preset) return this.setWindow(preset.windowFor(this.values()));
    const look = this.require().survey.looks[preset.look];
    if (look) this.setShade({ look, window: look.window });
  }

  private setShade(part: Partial<Shade>): void {
    const shade = { look: this.look(), window: this.window(), inverted: this.isInverted(), ...part };
    this.shade = shade;
    this.repaintSoon();
  }

  /** At once, and then once a frame: a drag tells of more movements than the screen shows. */
  private repaintSoon(): void {
    if (this.isReadyToPaint) this.repaint();
    else this.isStale = true;
  }

  private repaint(): void {
    if (this.sopInstanceUid() === null) return;
    this.paintPicture();
    this.isStale = false;
    this.isReadyToPaint = false;
    requestAnimationFrame(() => {
      this.isReadyToPaint = true;
      if (this.isStale) this.repaint();
    });
  }

  private paintPicture(): void {
    if (this.shade === null || this.shown === null) return;
    const { stored, rules, picture, size } = this.shown;
    this.greys = greysOf(rules, this.shade);
    paint(stored, this.greys, picture);
    smooth(picture, size, this.smoothing);
    renewPicture(this.viewport);
  }

  private adaptToZoom(): void {
    const next = smoothingFor(this.affine(), devicePixelRatio);
    if (next.across === this.smoothing.across && next.down === this.smoothing.down) return;
    this.smoothing = next;
    this.repaintSoon();
  }

  fit(): void {
    this.viewport.resetCamera();
    this.viewport.render();
    this.isFitted = true;
    this.adaptToZoom();
  }

  /** Every film pixel is one pixel of the screen's own, on its grid; the shorter side of one that is not square. */
  showActualSize(): void {
    const { xAxis, yAxis } = this.affine();
    const perPixel = Math.min(Math.hypot(xAxis.x, xAxis.y), Math.hypot(yAxis.x, yAxis.y));
    this.viewport.setZoom(this.viewport.getZoom() / (perPixel * devicePixelRatio));
    const { origin } = this.affine();
    // A half goes the same way whatever the last digit of a long sum.
    const onGrid = (at: number): number => Math.ceil(at * devicePixelRatio - 0.5 - 1e-6) / devicePixelRatio;
    const offGrid = (at: number): number => onGrid(at) - at;
    this.panBy({ x: offGrid(origin.x), y: offGrid(origin.y) });
    this.adaptToZoom();
  }

  /** By the camera: Cornerstone's own setPan leaves out what is less than a pixel, and slow drags add up. */
  panBy(delta: Point): void {
    const { focalPoint, position } = this.viewport.getCamera();
    if (focalPoint === undefined || position === undefined) return;
    const from = this.viewport.canvasToWorld([delta.x, delta.y]);
    const to = this.viewport.canvasToWorld([0, 0]);
    const moved = (point: Types.Point3): Types.Point3 => [
      point[0] + to[0] - from[0],
      point[1] + to[1] - from[1],
      point[2] + to[2] - from[2],
    ];
    this.viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    this.isFitted = false;
    this.viewport.render();
  }

  /** Zooms about a point of the screen, which stays where it is. */
  zoomBy(factor: number, about: Point): void {
    const zoom = Math.min(Math.max(this.viewport.getZoom() * factor, 0.2), 40);
    const world = this.viewport.canvasToWorld([about.x, about.y]);
    this.viewport.setZoom(zoom);
    const [x, y] = this.viewport.worldToCanvas(world);
    this.panBy({ x: about.x - x, y: about.y - y });
    this.adaptToZoom();
  }

  /** The whole film stays in sight until the reader has moved it. */
  resize(): void {
    this.engine.resize(true, true);
    if (this.isFitted) this.fit();
    else this.adaptToZoom();
  }

  onRendered(listener: () => void): void {
    this.element.addEventListener(Enums.Events.IMAGE_RENDERED, listener);
  }

  /** Resolves when the film that is shown is on the canvas, at once where it is. */
  async drawn(): Promise<void> {
    if (this.isDrawn) return;
    await new Promise((resolve) => {
      this.element.addEventListener(Enums.Events.IMAGE_RENDERED, resolve, { once: true });
    });
  }

  dispose(): void {
    this.blank();
    this.engine.disableElement(this.name);
  }

  private require(): ShownFilm {
    if (this.shown === null) throw new WrongImage("No film is on screen.");
    return this.shown;
  }
}

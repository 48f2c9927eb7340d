/** The one place that speaks to Cornerstone3D: decodes a film, draws it, and knows what is on the canvas. */
import {
  cache,
  Enums,
  imageLoader,
  init as initCore,
  RenderingEngine,
  type Types,
} from "@cornerstonejs/core";
import { init as initLoader, wadouri } from "@cornerstonejs/dicom-image-loader";
import { Enums as MetadataEnums, utilities as metadataUtilities } from "@cornerstonejs/metadata";
import type { DataSet } from "dicom-parser";
import { type Film, WrongImage } from "./film";
import { type Affine, affineThrough, type Point, type Size } from "./geometry";
import { cutPatch, type Patch } from "./lens";
import { fetchFilm, sopInstanceUidOf } from "./part10";
import { type RulerSpacing, rulerSpacing } from "./ruler";
import { type PreparedValues, prepareValues, valueRules } from "./values";
import { type FilmValues, rangeOf, type Window, windowOf } from "./window";

const VIEWPORT = "film";
const DECODE_SECONDS = 60;

let isStarted = false;

function startCornerstone(): void {
  if (isStarted) return;
  // One viewport an engine needs one context; a browser keeps 16, and each engine would take 7.
  initCore({ rendering: { webGlContextCount: 1 }, debug: {} });
  initLoader({ maxWebWorkers: 2 });
  isStarted = true;
}

interface ShownFilm {
  readonly imageId: string;
  readonly image: Types.IImage;
  readonly header: DataSet;
  readonly values: PreparedValues;
  readonly brighterIsHigher: boolean;
}

/** One viewport with at most one film in it. */
export class FilmStack {
  private readonly engine: RenderingEngine;
  private shown: ShownFilm | null = null;
  private turn = 0;

  constructor(
    private readonly element: HTMLDivElement,
    name: string,
  ) {
    startCornerstone();
    this.engine = new RenderingEngine(name);
    this.engine.enableElement({
      viewportId: VIEWPORT,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: [0, 0, 0] },
    });
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(VIEWPORT) as Types.IStackViewport;
  }

  async show(film: Film): Promise<FilmValues> {
    this.blank();
    const turn = ++this.turn;
    const { file, header } = await fetchFilm(film);
    const imageId = wadouri.fileManager.add(file as File);
    try {
      return await this.draw(imageId, header, turn);
    } catch (error) {
      forget(imageId);
      if (error instanceof WrongImage) throw error;
      throw new WrongImage("The film was loaded but could not be drawn.", { cause: error });
    }
  }

  private async draw(imageId: string, header: DataSet, turn: number): Promise<FilmValues> {
    const image = await decode(imageId);
    const rules = valueRules(header);
    const values = prepareValues(image.getPixelData(), rules);
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    await this.viewport.setStack([imageId]);
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    // setStack resolves even where the image failed, and the film before it stays on the canvas.
    if (this.viewport.getCornerstoneImage()?.imageId !== imageId) {
      throw new WrongImage("The film was loaded but could not be drawn.");
    }
    this.shown = { imageId, image, header, values, brighterIsHigher: rules.brighterIsHigher };
    this.setWindow(values.initial);
    this.bendShades(rules.isSigmoid);
    this.setInverted(false);
    this.fit();
    this.element.classList.remove("blank");
    return this.values();
  }

  private bendShades(isSigmoid: boolean): void {
    const { LINEAR, SAMPLED_SIGMOID } = Enums.VOILUTFunctionType;
    const wanted = isSigmoid ? SAMPLED_SIGMOID : LINEAR;
    if (this.viewport.getProperties().VOILUTFunction === wanted) return;
    this.viewport.setProperties({ VOILUTFunction: wanted });
  }

  /** Hides the canvas before anything is awaited: no old film is seen under a new film's regions. */
  blank(): void {
    this.element.classList.add("blank");
    if (this.shown !== null) forget(this.shown.imageId);
    this.shown = null;
  }

  sopInstanceUid(): string | null {
    if (this.shown === null || this.element.classList.contains("blank")) return null;
    if (this.viewport.getCornerstoneImage()?.imageId !== this.shown.imageId) return null;
    return sopInstanceUidOf(this.shown.header);
  }

  values(): FilmValues {
    const { values, brighterIsHigher } = this.require();
    const { initial, lowest, highest } = values;
    return { initial, range: { lower: lowest, upper: highest }, brighterIsHigher };
  }

  filmSize(): Size {
    const { image } = this.require();
    return { width: image.columns, height: image.rows };
  }

  /** In mm; null where the film does not say. */
  rulerSpacing(): RulerSpacing | null {
    return rulerSpacing(this.require().header);
  }

  /** A part of the film as it looks now. */
  cut(left: number, top: number, size: Size): Patch {
    const { image } = this.require();
    const { lower, upper } = rangeOf(this.window());
    const isTurned = this.viewport.getProperties().invert ?? false;
    const values = image.getPixelData();
    const greyOf = (index: number): number => {
      const share = ((values[index] ?? lower) - lower) / (upper - lower);
      return (isTurned ? 1 - share : share) * 255;
    };
    return cutPatch(greyOf, this.filmSize(), left, top, size);
  }

  screenSize(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  /** Edges of film pixels to screen pixels. Cornerstone's integer index is a pixel's centre, hence the half. */
  affine(): Affine {
    const size = this.filmSize();
    const imageData = this.viewport.getImageData().imageData;
    const corner = (x: number, y: number): Point => {
      const world = imageData.indexToWorld?.([x - 0.5, y - 0.5, 0]) as Types.Point3;
      const [screenX, screenY] = this.viewport.worldToCanvas(world);
      return { x: screenX, y: screenY };
    };
    return affineThrough(corner(0, 0), corner(size.width, 0), corner(0, size.height), size);
  }

  window(): Window {
    const range = this.viewport.getProperties().voiRange;
    return range ? windowOf(range) : this.require().values.initial;
  }

  setWindow(window: Window): void {
    this.viewport.setProperties({ voiRange: rangeOf(window) });
    this.viewport.render();
  }

  isInverted(): boolean {
    return (this.viewport.getProperties().invert ?? false) === this.require().brighterIsHigher;
  }

  setInverted(inverted: boolean): void {
    this.viewport.setProperties({ invert: inverted === this.require().brighterIsHigher });
    this.viewport.render();
  }

  fit(): void {
    this.viewport.resetCamera();
    this.viewport.render();
  }

  panBy(delta: Point): void {
    const [x, y] = this.viewport.getPan();
    this.viewport.setPan([x + delta.x, y + delta.y]);
    this.viewport.render();
  }

  /** Zooms about a point of the screen, which stays where it is. */
  zoomBy(factor: number, about: Point): void {
    const zoom = Math.min(Math.max(this.viewport.getZoom() * factor, 0.2), 40);
    const world = this.viewport.canvasToWorld([about.x, about.y]);
    this.viewport.setZoom(zoom);
    const [x, y] = this.viewport.worldToCanvas(world);
    this.panBy({ x: about.x - x, y: about.y - y });
  }

  resize(): void {
    this.engine.resize(true, true);
  }

  onRendered(listener: () => void): void {
    this.element.addEventListener(Enums.Events.IMAGE_RENDERED, listener);
  }

  onceRendered(listener: () => void): void {
    this.element.addEventListener(Enums.Events.IMAGE_RENDERED, () => listener(), { once: true });
  }

  dispose(): void {
    this.engine.destroy();
  }

  private require(): ShownFilm {
    if (this.shown === null) throw new WrongImage("No film is on screen.");
    return this.shown;
  }
}

/** A decoder whose own script cannot be loaded never answers, hence the deadline. */
async function decode(imageId: string): Promise<Types.IImage> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const problem = new WrongImage(`The film came, but was not decoded within ${DECODE_SECONDS} seconds.`);
    timer = setTimeout(() => reject(problem), DECODE_SECONDS * 1000);
  });
  try {
    return await Promise.race([imageLoader.loadAndCacheImage(imageId), tooLate]);
  } catch (cause) {
    if (cause instanceof WrongImage) throw cause;
    throw new WrongImage("The film came, but could not be decoded.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Frees the film's memory: the next one has an image id of its own, so nothing is asked for twice. */
function forget(imageId: string): void {
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  metadataUtilities.clearTypedCacheData(MetadataEnums.MetadataModules.NATURALIZED, imageId);
  wadouri.fileManager.remove(Number(imageId.slice("dicomfile:".length)));
}

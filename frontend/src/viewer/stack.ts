/** The one place that speaks to Cornerstone3D: loads a film, checks that it is the right one, renders it. */
import {
  cache,
  Enums,
  imageLoader,
  init as initCore,
  RenderingEngine,
  type Types,
} from "@cornerstonejs/core";
import { init as initLoader, wadouri } from "@cornerstonejs/dicom-image-loader";
import type { DataSet } from "dicom-parser";
import { type Film, WrongImage } from "./film";
import { type Affine, affineThrough, type Point, type Size } from "./geometry";
import { type PreparedValues, prepareValues, valueRules } from "./values";
import { type FilmValues, rangeOf, type Window, windowOf } from "./window";

const VIEWPORT = "film";
const SOP_INSTANCE_UID = "x00080018";

let isStarted = false;

function startCornerstone(): void {
  if (isStarted) return;
  initCore();
  initLoader({ maxWebWorkers: 2 });
  isStarted = true;
}

interface LoadedImage extends Types.IImage {
  readonly data: DataSet;
}

interface ShownFilm {
  readonly imageId: string;
  readonly image: LoadedImage;
  readonly values: PreparedValues;
  readonly brighterIsHigher: boolean;
}

/** One viewport with at most one film in it. */
export class FilmStack {
  private readonly engine: RenderingEngine;
  private readonly prepared = new WeakMap<LoadedImage, PreparedValues>();
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
    const imageId = `wadouri:${new URL(film.url, location.href).href}`;
    const image = await load(imageId);
    const sopInstanceUid = image.data?.string(SOP_INSTANCE_UID);
    if (sopInstanceUid !== film.sopInstanceUid) {
      forget(imageId);
      throw new WrongImage("The server sent another film than the one that this page is about.");
    }
    const rules = valueRules(image.data);
    const values = this.prepared.get(image) ?? prepareValues(image.getPixelData(), rules);
    this.prepared.set(image, values);
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    await this.viewport.setStack([imageId]);
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    // setStack resolves even where the image failed, and the film before it stays on the canvas.
    if (this.viewport.getCornerstoneImage()?.imageId !== imageId) {
      throw new WrongImage("The film was loaded but could not be drawn.");
    }
    this.shown = { imageId, image, values, brighterIsHigher: rules.brighterIsHigher };
    this.setWindow(values.initial);
    this.setInverted(false);
    this.fit();
    this.element.classList.remove("blank");
    return this.values();
  }

  /** Hides the canvas before anything is awaited: no old film is seen under a new film's regions. */
  blank(): void {
    this.shown = null;
    this.element.classList.add("blank");
  }

  sopInstanceUid(): string | null {
    if (this.shown === null || this.element.classList.contains("blank")) return null;
    const image = this.viewport.getCornerstoneImage() as LoadedImage | undefined;
    if (image?.imageId !== this.shown.imageId) return null;
    return image.data.string(SOP_INSTANCE_UID) ?? null;
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

  dispose(): void {
    this.engine.destroy();
  }

  private require(): ShownFilm {
    if (this.shown === null) throw new WrongImage("No film is on screen.");
    return this.shown;
  }
}

async function load(imageId: string): Promise<LoadedImage> {
  try {
    return (await imageLoader.loadAndCacheImage(imageId)) as LoadedImage;
  } catch (cause) {
    forget(imageId);
    throw new WrongImage("The film could not be loaded.", { cause });
  }
}

/** A retry asks the server again instead of repeating the failure from a cache. */
function forget(imageId: string): void {
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  const url = imageId.slice("wadouri:".length);
  if (wadouri.dataSetCacheManager.isLoaded(url)) wadouri.dataSetCacheManager.unload(url);
}

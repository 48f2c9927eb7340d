/** One viewport with at most one film in it: loads the film, draws it, and knows what is on the canvas. */
import type { DataSet } from "dicom-parser";
import { Camera } from "./camera";
import { decode } from "./decoding";
import { closeViewport, onDrawn, openViewport, resizeViewports, viewportOf } from "./engine";
import { type Film, WrongImage } from "./film";
import type { Size } from "./geometry";
import { Painting } from "./painting";
import { fetchFilm, sizeOf, sopInstanceUidOf } from "./part10";
import { dropPicture, isPictureOn, keepPicture, putPicture, renewPicture } from "./picture";
import { type RulerSpacing, rulerSpacing } from "./ruler";
import { valueRules } from "./value-rules";
import type { StoredValues } from "./values";
import type { FilmValues } from "./window";

interface ShownFilm {
  readonly imageId: string;
  readonly header: DataSet;
  readonly painting: Painting;
}

export class FilmStack {
  /** Where the film lies on the screen. */
  readonly camera: Camera;
  private shown: ShownFilm | null = null;
  private turn = 0;
  private isDrawn = false;
  /** That the canvas was made for. */
  private sized: Size;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly name: string,
  ) {
    openViewport(element, name);
    this.sized = this.screenSize();
    this.camera = new Camera({
      viewport: () => viewportOf(name),
      filmSize: () => this.filmSize(),
      screenSize: () => this.screenSize(),
      zoomed: (affine) => this.painting.smoothFor(affine),
    });
    this.onRendered(() => {
      this.isDrawn = this.shown !== null;
    });
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
    const viewport = viewportOf(this.name);
    const film = { stored, rules: valueRules(header), size: sizeOf(header) };
    const painting = new Painting(film, {
      shows: (picture) => this.shown?.painting.picture === picture && this.sopInstanceUid() !== null,
      renew: () => renewPicture(viewport),
    });
    if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
    const imageId = keepPicture(painting.picture, header);
    try {
      await putPicture(imageId, viewport);
      if (turn !== this.turn) throw new WrongImage("Another film was asked for meanwhile.");
      if (!isPictureOn(imageId, viewport)) {
        throw new WrongImage("The film was loaded but could not be drawn.");
      }
    } catch (error) {
      dropPicture(imageId);
      throw error;
    }
    this.isDrawn = false;
    this.shown = { imageId, header, painting };
    if (this.hasOtherSize) this.fillScreen();
    this.camera.fit();
    painting.paint();
    this.element.classList.remove("blank");
    return painting.values();
  }

  /** Hides the canvas before anything is awaited: no old film is seen under a new film's regions, and none that
   * is still on its way. */
  blank(): void {
    this.turn += 1;
    this.element.classList.add("blank");
    if (this.shown !== null) dropPicture(this.shown.imageId);
    this.shown = null;
    this.isDrawn = false;
  }

  sopInstanceUid(): string | null {
    if (this.shown === null || this.element.classList.contains("blank")) return null;
    if (!isPictureOn(this.shown.imageId, viewportOf(this.name))) return null;
    return sopInstanceUidOf(this.shown.header);
  }

  /** How the film looks. */
  get painting(): Painting {
    return this.require().painting;
  }

  filmSize(): Size {
    return sizeOf(this.require().header);
  }

  /** In mm; null where the film does not say. */
  rulerSpacing(): RulerSpacing | null {
    return rulerSpacing(this.require().header);
  }

  screenSize(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  resize(): void {
    this.camera.resize(() => this.fillScreen());
  }

  private fillScreen(): void {
    resizeViewports();
    this.sized = this.screenSize();
  }

  private get hasOtherSize(): boolean {
    const { width, height } = this.screenSize();
    return this.sized.width !== width || this.sized.height !== height;
  }

  /** A key may come before the browser tells that the screen got another size. */
  settle(): void {
    if (this.hasOtherSize) this.resize();
  }

  onRendered(listener: () => void): void {
    onDrawn(this.element, listener);
  }

  /** Resolves when the film that is shown is on the canvas, at once where it is. */
  async drawn(): Promise<void> {
    if (this.isDrawn) return;
    await new Promise<void>((resolve) => {
      const stop = onDrawn(this.element, () => {
        stop();
        resolve();
      });
    });
  }

  dispose(): void {
    this.blank();
    closeViewport(this.name);
  }

  private require(): ShownFilm {
    if (this.shown === null) throw new WrongImage("No film is on screen.");
    return this.shown;
  }
}

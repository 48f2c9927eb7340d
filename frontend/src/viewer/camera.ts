/** Where a film lies on the screen: the whole of it, closer, at 1:1, and moved. */
import { getShouldUseCPURendering, type Types } from "@cornerstonejs/core";
import type { FilmPlace } from "./film";
import { type Affine, affineThrough, type Point, type Size, toFilm, toScreen } from "./geometry";

const LEAST_ZOOM = 0.2;
const MOST_ZOOM = 40;
/** What 1:1 may be off by: the camera reckons in broken numbers. */
const NEARLY = 1e-4;

export interface CameraHost {
  viewport(): Types.IStackViewport;
  filmSize(): Size;
  screenSize(): Size;
  /** A film pixel takes another size on the screen, or may. */
  zoomed(affine: Affine): void;
}

export class Camera {
  private isFitted = true;

  constructor(private readonly host: CameraHost) {}

  /**
   * Edges of film pixels to screen pixels. Cornerstone's integer index is a pixel's centre, hence the half;
   * without WebGL it is the pixel's edge.
   */
  affine(): Affine {
    const viewport = this.host.viewport();
    const size = this.host.filmSize();
    const imageData = viewport.getImageData().imageData;
    const toEdge = getShouldUseCPURendering() ? 0 : -0.5;
    const corner = (x: number, y: number): Point => {
      const world = imageData.indexToWorld?.([x + toEdge, y + toEdge, 0]) as Types.Point3;
      const [screenX, screenY] = viewport.worldToCanvas(world);
      return { x: screenX, y: screenY };
    };
    return affineThrough(corner(0, 0), corner(size.width, 0), corner(0, size.height), size);
  }

  fit(): void {
    const viewport = this.host.viewport();
    viewport.resetCamera();
    viewport.render();
    this.isFitted = true;
    this.host.zoomed(this.affine());
  }

  /** Every film pixel is one pixel of the screen's own, on its grid; the shorter side of one that is not square. */
  showActualSize(): void {
    const viewport = this.host.viewport();
    viewport.setZoom(viewport.getZoom() / this.pixelSize());
    const { origin } = this.affine();
    // A half goes the same way whatever the last digit of a long sum.
    const onGrid = (at: number): number => Math.ceil(at * devicePixelRatio - 0.5 - 1e-6) / devicePixelRatio;
    const offGrid = (at: number): number => onGrid(at) - at;
    this.panBy({ x: offGrid(origin.x), y: offGrid(origin.y) });
    this.host.zoomed(this.affine());
  }

  /** Of a film pixel, in pixels of the screen's own; of its shorter side. */
  private pixelSize(): number {
    const { xAxis, yAxis } = this.affine();
    return Math.min(Math.hypot(xAxis.x, xAxis.y), Math.hypot(yAxis.x, yAxis.y)) * devicePixelRatio;
  }

  /** Cornerstone's own setPan leaves out what is less than a pixel, and slow drags add up. */
  panBy(delta: Point): void {
    const viewport = this.host.viewport();
    const { focalPoint, position } = viewport.getCamera();
    if (focalPoint === undefined || position === undefined) return;
    const from = viewport.canvasToWorld([delta.x, delta.y]);
    const to = viewport.canvasToWorld([0, 0]);
    const moved = (point: Types.Point3): Types.Point3 => [
      point[0] + to[0] - from[0],
      point[1] + to[1] - from[1],
      point[2] + to[2] - from[2],
    ];
    viewport.setCamera({ focalPoint: moved(focalPoint), position: moved(position) });
    this.isFitted = false;
    viewport.render();
  }

  /** Zooms about a point of the screen, which stays where it is. */
  zoomBy(factor: number, about: Point): void {
    const viewport = this.host.viewport();
    const zoom = Math.min(Math.max(viewport.getZoom() * factor, LEAST_ZOOM), MOST_ZOOM);
    const world = viewport.canvasToWorld([about.x, about.y]);
    viewport.setZoom(zoom);
    const [x, y] = viewport.worldToCanvas(world);
    this.panBy({ x: about.x - x, y: about.y - y });
    this.host.zoomed(this.affine());
  }

  place(): FilmPlace {
    const { width, height } = this.host.filmSize();
    const { x, y } = toFilm(this.middle(), this.affine());
    return {
      isFitted: this.isFitted,
      zoom: this.host.viewport().getZoom(),
      middle: { x: x / width, y: y / height },
    };
  }

  showPlace({ isFitted, zoom, middle }: FilmPlace): void {
    if (isFitted) return this.fit();
    this.host.viewport().setZoom(zoom);
    const { width, height } = this.host.filmSize();
    const now = toScreen({ x: middle.x * width, y: middle.y * height }, this.affine());
    const wanted = this.middle();
    this.panBy({ x: wanted.x - now.x, y: wanted.y - now.y });
    this.host.zoomed(this.affine());
  }

  private middle(): Point {
    const { width, height } = this.host.screenSize();
    return { x: width / 2, y: height / 2 };
  }

  /** Gives the screen another size: the whole film stays in sight until the reader has moved it, and 1:1 stays 1:1. */
  resize(give: () => void): void {
    const wasActualSize = Math.abs(this.pixelSize() - 1) < NEARLY;
    give();
    if (this.isFitted) this.fit();
    else if (wasActualSize) this.showActualSize();
    else this.host.zoomed(this.affine());
  }
}

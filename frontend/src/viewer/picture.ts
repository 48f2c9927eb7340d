/** The greys that are painted of a film, as an image that Cornerstone3D shows. */
import {
  cache,
  utilities as coreUtilities,
  Enums,
  getShouldUseCPURendering,
  imageLoader,
  type Types,
} from "@cornerstonejs/core";
import type { DataSet } from "dicom-parser";
import { sizeOf } from "./part10";
import { pixelShape } from "./pixel-shape";
import { windowOf } from "./window";

/** The canvas shows the greys as they were painted. */
const GREYS = { lower: 0, upper: 255 };

let numPictures = 0;

/** An image of `greys`, which stay the caller's to paint on, under an id of its own: none is taken for another. */
export function keepPicture(greys: Uint8Array, header: DataSet): string {
  const imageId = `film-picture:${++numPictures}`;
  const { width, height } = sizeOf(header);
  const { row, column } = pixelShape(header);
  const modality = { modality: header.string("x00080060") ?? "OT" };
  const type = Enums.MetadataModules.GENERAL_SERIES;
  coreUtilities.genericMetadataProvider.add(imageId, { type, metadata: modality });
  const image = imageLoader.createAndCacheLocalImage(imageId, {
    scalarData: greys,
    dimensions: [width, height],
    spacing: [column, row],
    targetBuffer: { type: "Uint8Array" },
  });
  const whole = windowOf(GREYS);
  image.windowCenter = whole.center;
  image.windowWidth = whole.width;
  [image.minPixelValue, image.maxPixelValue] = [GREYS.lower, GREYS.upper];
  return imageId;
}

export function dropPicture(imageId: string): void {
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
}

/** setStack resolves even where the image failed: then the film before it, or a part of it, stays drawn. */
export async function putPicture(imageId: string, viewport: Types.IStackViewport): Promise<void> {
  await viewport.setStack([imageId]);
  if (isPictureOn(imageId, viewport)) viewport.setProperties({ voiRange: GREYS, invert: false });
}

/** Whether the viewport's image and what it draws with are both this picture's. */
export function isPictureOn(imageId: string, viewport: Types.IStackViewport): boolean {
  if (viewport.getCornerstoneImage()?.imageId !== imageId) return false;
  // Without WebGL the image is drawn by itself.
  return getShouldUseCPURendering() || viewport.getActors()[0]?.referencedId === imageId;
}

/** After its greys were painted anew. */
export function renewPicture(viewport: Types.IStackViewport): void {
  const image = viewport.getCornerstoneImage();
  const shown = viewport.getImageData() as Types.IImageData | undefined;
  // Without WebGL a picture counts as drawn until its window changes, which it never does.
  Object.assign(viewport, { cpuRenderingInvalidated: true });
  if (image && shown) coreUtilities.updateVTKImageDataWithCornerstoneImage(shown.imageData, image);
  viewport.render();
}

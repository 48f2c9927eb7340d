/** Decodes a film's file into its stored values. */
import { cache, Enums, imageLoader } from "@cornerstonejs/core";
import { wadouri } from "@cornerstonejs/dicom-image-loader";
import { Enums as MetadataEnums, utilities as metadataUtilities } from "@cornerstonejs/metadata";
import type { DataSet } from "dicom-parser";
import { WrongImage } from "./film";
import { sizeOf } from "./part10";
import type { StoredValues } from "./values";

const DECODE_SECONDS = 60;

/**
 * The film's stored values, first frame. A decoder whose own script cannot be loaded never answers, hence the
 * deadline.
 */
export async function decode(file: Blob, header: DataSet): Promise<StoredValues> {
  const imageId = wadouri.fileManager.add(file as File);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const problem = new WrongImage(`The film came, but was not decoded within ${DECODE_SECONDS} seconds.`);
    timer = setTimeout(() => reject(problem), DECODE_SECONDS * 1000);
  });
  try {
    // The stored values as they are: Cornerstone's own modality transform knows no tables.
    const options = { preScale: { enabled: false }, priority: 0, requestType: Enums.RequestType.Interaction };
    const image = await Promise.race([imageLoader.loadAndCacheImage(imageId, options), tooLate]);
    const stored = image.getPixelData();
    const { width, height } = sizeOf(header);
    if (stored.length === width * height) return stored;
  } catch (cause) {
    if (cause instanceof WrongImage) throw cause;
    throw new WrongImage("The film came, but could not be decoded.", { cause });
  } finally {
    clearTimeout(timer);
    forgetFile(imageId);
  }
  throw new WrongImage("The film came, but has another size than its header says.");
}

/** Frees the file's memory: the next one has an image id of its own, so nothing is asked for twice. */
function forgetFile(imageId: string): void {
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
  metadataUtilities.clearTypedCacheData(MetadataEnums.MetadataModules.NATURALIZED, imageId);
  wadouri.fileManager.remove(Number(imageId.slice("dicomfile:".length)));
}

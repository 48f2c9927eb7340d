/** Fetches a film's DICOM file and reads its header: which film it is, before anything is drawn. */
import { type DataSet, parseDicom } from "dicom-parser";
import { type Film, WrongImage } from "./film";
import type { Size } from "./geometry";

const SOP_INSTANCE_UID = "x00080018";
const PIXEL_DATA = "x7fe00010";

export interface FetchedFilm {
  readonly file: Blob;
  readonly header: DataSet;
}

/** Rejects with WrongImage where the server gives no film, something else, or another film. */
export async function fetchFilm(film: Film): Promise<FetchedFilm> {
  const bytes = await fetchBytes(film.url);
  let header: DataSet;
  try {
    header = parseDicom(new Uint8Array(bytes), { untilTag: PIXEL_DATA });
  } catch (cause) {
    throw new WrongImage("The server sent something that is no film.", { cause });
  }
  if (sopInstanceUidOf(header) !== film.sopInstanceUid) {
    throw new WrongImage("The server sent another film than the one that this page is about.");
  }
  return { file: new Blob([bytes]), header };
}

export function sopInstanceUidOf(header: DataSet): string | null {
  return header.string(SOP_INSTANCE_UID) ?? null;
}

export function sizeOf(header: DataSet): Size {
  return { width: header.uint16("x00280011") ?? 0, height: header.uint16("x00280010") ?? 0 };
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin" });
    if (response.ok) return await response.arrayBuffer();
  } catch (cause) {
    throw new WrongImage("The film could not be loaded: the server cannot be reached.", { cause });
  }
  throw new WrongImage(`The film could not be loaded: the server answered ${response.status}.`);
}

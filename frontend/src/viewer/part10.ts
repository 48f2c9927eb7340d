/** Fetches a film's DICOM file and reads its header: which film it is, before anything is drawn. */
import { type DataSet, parseDicom, readEncapsulatedPixelDataFromFragments } from "dicom-parser";
import { Silence } from "../api/silence";
import { type Film, WrongImage } from "./film";
import type { Size } from "./geometry";

const SOP_INSTANCE_UID = "x00080018";
const GONE = 410;
const LOCKED_OUT: ReadonlySet<number> = new Set([401, 403]);
const PIXEL_DATA = "x7fe00010";

export interface FetchedFilm {
  readonly header: DataSet;
  /** The first frame as it is stored, compressed. */
  readonly codestream: Uint8Array<ArrayBuffer>;
}

/** Rejects with WrongImage where the server gives no film, something else, or another film. */
export async function fetchFilm(film: Film): Promise<FetchedFilm> {
  const bytes = await fetchBytes(film.url, "default");
  // The browser's own copy may be what is wrong: the server is asked past it.
  return filmIn(bytes, film).catch(async () => filmIn(await fetchBytes(film.url, "reload"), film));
}

async function filmIn(bytes: Uint8Array<ArrayBuffer>, film: Film): Promise<FetchedFilm> {
  let header: DataSet;
  let codestream: Uint8Array<ArrayBuffer>;
  try {
    const whole = parseDicom(bytes);
    codestream = firstFrame(whole);
    // Of its own, so that a film on the screen does not keep its file in memory.
    const end = whole.elements[PIXEL_DATA]?.dataOffset;
    header = parseDicom(bytes.slice(0, end), { untilTag: PIXEL_DATA });
  } catch (cause) {
    throw new WrongImage("The server sent something that is no film.", { cause });
  }
  if (sopInstanceUidOf(header) !== film.sopInstanceUid) {
    throw new WrongImage("The server sent another film than the one that this page is about.");
  }
  // A codestream says nothing of a few wrong bytes: they would be shown as part of the film.
  if ((await sha256Of(bytes)) !== film.sha256) {
    throw new WrongImage("The film came damaged. If it does again, its file is: tell an admin.");
  }
  return { header, codestream };
}

/** PS3.5 A.4: a frame begins where the table of offsets says; without the table there is one frame. */
function firstFrame(film: DataSet): Uint8Array<ArrayBuffer> {
  const pixels = film.elements[PIXEL_DATA];
  const fragments = pixels?.fragments ?? [];
  if (pixels === undefined || fragments.length === 0) throw new Error("No compressed frame.");
  const next = pixels.basicOffsetTable?.[1];
  const end = next === undefined ? fragments.length : fragments.findIndex(({ offset }) => offset === next);
  return readEncapsulatedPixelDataFromFragments(film, pixels, 0, end) as Uint8Array<ArrayBuffer>;
}

export function sopInstanceUidOf(header: DataSet): string | null {
  return header.string(SOP_INSTANCE_UID) ?? null;
}

export function sizeOf(header: DataSet): Size {
  return { width: header.uint16("x00280011") ?? 0, height: header.uint16("x00280010") ?? 0 };
}

async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function fetchBytes(url: string, cache: RequestCache): Promise<Uint8Array<ArrayBuffer>> {
  const silence = new Silence();
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", cache, signal: silence.signal });
    if (response.ok) return await bytesOf(response, () => silence.heard());
  } catch (cause) {
    const what = silence.isTooLong ? "does not answer" : "cannot be reached";
    throw new WrongImage(`The film could not be loaded: the server ${what}.`, { cause });
  } finally {
    silence.end();
  }
  if (response.status === GONE) {
    throw new WrongImage("The file of this film is missing, or can't be read.", { isMissing: true });
  }
  if (LOCKED_OUT.has(response.status)) {
    throw new WrongImage("The server does not show you this film now.", { isLockedOut: true });
  }
  throw new WrongImage(
    response.status >= 500
      ? `The film could not be loaded: the server is in trouble at the moment (${response.status}).`
      : `The film could not be loaded: the server answered ${response.status}.`,
  );
}

async function bytesOf(response: Response, heard: () => void): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    heard();
    parts.push(part.value);
  }
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

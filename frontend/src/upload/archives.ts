/** A zip or tar archive on its way to the server, in parts: one that breaks off goes on where it was cut off. */
import { type Answer, getJson, postJson } from "../api/client";
import type { ArchiveImport } from "../api/studies";
import { sendBody, type Way } from "./sending";

/** Each holds a thread of the server while it comes. */
const PART_BYTES = 16 * 1024 ** 2;
/** What the server takes for an archive, too: zip, then what compressed tars begin with. */
const BEGINNINGS = ["PK\x03\x04", "PK\x05\x06", "\x1f\x8b", "BZh", "\xfd7zXZ"];
const TAR_MARK = "ustar";
const TAR_MARK_AT = 257;

/** By its first bytes. What can't be read is sent as a film, whose sending says so. */
export async function isArchive(file: Blob): Promise<boolean> {
  try {
    const bytes = new Uint8Array(await file.slice(0, TAR_MARK_AT + TAR_MARK.length).arrayBuffer());
    const start = String.fromCharCode(...bytes);
    return (
      BEGINNINGS.some((beginning) => start.startsWith(beginning)) || start.startsWith(TAR_MARK, TAR_MARK_AT)
    );
  } catch {
    return false;
  }
}

/** `begun` is called once the server knows of it. The same file, sent again, goes on behind what is there. */
export function sendArchiveTo(
  url: string,
  begun: () => void,
): (file: File, way: Way) => Promise<Answer<ArchiveImport>> {
  const known = new WeakMap<File, string>();
  return async (file, { profile, progress, mayGoOn }) => {
    const uid = known.get(file);
    let answer = await (uid === undefined
      ? begin(url, file, profile)
      : getJson<ArchiveImport>(`${url}${uid}/`));
    if (answer.kind === "done") known.set(file, answer.body.uid);
    begun();
    while (answer.kind === "done" && answer.body.state === "receiving") {
      if (!mayGoOn()) return { kind: "unreachable", sentence: "Paused." };
      answer = await sendPart(url, file, answer.body, progress);
    }
    // Who sends it again after that begins it anew.
    if (answer.kind === "refused") known.delete(file);
    if (answer.kind !== "done" || answer.body.state !== "cancelled") return answer;
    known.delete(file);
    return { kind: "refused", sentence: "It was cancelled." };
  };
}

function begin(url: string, file: File, profile: string): Promise<Answer<ArchiveImport>> {
  return postJson<ArchiveImport>(url, {
    file_name: file.name,
    num_bytes: file.size,
    modified_ms: file.lastModified,
    profile,
  });
}

function sendPart(
  url: string,
  file: File,
  { uid, num_received: first }: ArchiveImport,
  progress: (share: number) => void,
): Promise<Answer<ArchiveImport>> {
  const end = Math.min(first + PART_BYTES, file.size);
  return sendBody<ArchiveImport>({
    method: "PUT",
    url: `${url}${uid}/content`,
    body: file.slice(first, end),
    headers: {
      "Content-Type": "application/octet-stream",
      "Content-Range": `bytes ${first}-${end - 1}/${file.size}`,
    },
    progress: (share) => progress((first + share * (end - first)) / file.size),
  });
}

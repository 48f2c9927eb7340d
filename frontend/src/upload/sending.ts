/** One file on its way to the server. */
import { type Answer, answerOf, csrfToken } from "../api/client";
import { SILENT_SECONDS } from "../api/silence";
import type { ArchiveImport, ImportBatch } from "../api/studies";

/** More than the checks of one file may take. */
const JUDGING_SECONDS = 300;

/** How a file is sent. `batch`: the import that it belongs to, null for the first of a new one. */
export interface Way {
  readonly batch: string | null;
  /** Of de-identification. */
  readonly profile: string;
  /** Told the share that is sent. */
  progress(share: number): void;
  /** Asked before each part of what is sent in parts; what is not sent any more goes on from there later. */
  mayGoOn(): boolean;
}

/** Films are judged at once; the films of an archive by a worker, later. */
export type Sent = ImportBatch | ArchiveImport;
export type Send = (file: File, way: Way) => Promise<Answer<Sent>>;

export function sendFilmTo(url: string): (file: File, way: Way) => Promise<Answer<ImportBatch>> {
  return async (file, { batch, profile, progress }) => {
    const body = new FormData();
    body.append("files", file);
    body.append("profile", profile);
    if (batch !== null) body.append("batch", batch);
    const answer = await sendBody<ImportBatch>({ method: "POST", url, body, progress });
    // What this one file does to the server, others need not: they are not kept waiting by it.
    if (answer.kind === "unreachable" && answer.status === 500) return { ...answer, kind: "refused" };
    return answer;
  };
}

export interface Sending {
  readonly method: "POST" | "PUT";
  readonly url: string;
  readonly body: FormData | Blob;
  readonly headers?: Readonly<Record<string, string>>;
  /** Told the share of the body that is sent. */
  progress(share: number): void;
}

/** XMLHttpRequest, since fetch tells nothing about how much of a body was sent. */
export function sendBody<Body>({
  method,
  url,
  body,
  headers,
  progress,
}: Sending): Promise<Answer<Body> & { readonly status?: number }> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let silence = setTimeout(() => request.abort(), SILENT_SECONDS * 1000);
    const heard = (seconds: number): void => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), seconds * 1000);
    };
    const end = (answer: Answer<Body> & { readonly status?: number }): void => {
      clearTimeout(silence);
      resolve(answer);
    };
    request.open(method, url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers ?? {})) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      heard(SILENT_SECONDS);
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => heard(JUDGING_SECONDS));
    request.addEventListener("error", () => end(away("The server cannot be reached.")));
    request.addEventListener("abort", () => end(away("The server does not answer.")));
    request.addEventListener("load", () => {
      const { status, response } = request;
      end({ ...answerOf<Body>(status, response), status });
    });
    request.send(body);
  });
}

const away = (sentence: string): Answer<never> => ({ kind: "unreachable", sentence });

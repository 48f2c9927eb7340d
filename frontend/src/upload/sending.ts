/** One file on its way to the server. */
import { type Answer, answerOf, csrfToken } from "../api/client";
import { SILENT_SECONDS } from "../api/silence";
import type { ImportBatch } from "../api/studies";

/** More than the checks of one file may take. */
const JUDGING_SECONDS = 300;

/** `batch`: the import that it belongs to, null for the first of a new one. `progress` is told the share that is sent. */
export type Send = (
  file: File,
  batch: string | null,
  progress: (share: number) => void,
) => Promise<Answer<ImportBatch>>;

/** XMLHttpRequest, since fetch tells nothing about how much of a body was sent. */
export function sendTo(url: string): Send {
  return (file, batch, progress) =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      let silence = setTimeout(() => request.abort(), SILENT_SECONDS * 1000);
      const heard = (seconds: number): void => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), seconds * 1000);
      };
      const end = (answer: Answer<ImportBatch>): void => {
        clearTimeout(silence);
        resolve(answer);
      };
      request.open("POST", url);
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        heard(SILENT_SECONDS);
        if (event.lengthComputable) progress(event.loaded / event.total);
      });
      request.upload.addEventListener("load", () => heard(JUDGING_SECONDS));
      request.addEventListener("error", () => end(away("The server cannot be reached.")));
      request.addEventListener("abort", () => end(away("The server does not answer.")));
      request.addEventListener("load", () => end(judged(request)));
      const body = new FormData();
      body.append("files", file);
      if (batch !== null) body.append("batch", batch);
      request.send(body);
    });
}

const away = (sentence: string): Answer<never> => ({ kind: "unreachable", sentence });

function judged({ status, response }: XMLHttpRequest): Answer<ImportBatch> {
  const answer = answerOf<ImportBatch>(status, response);
  // What this one file does to the server, others need not: they are not kept waiting by it.
  if (status === 500 && answer.kind === "unreachable") return { ...answer, kind: "refused" };
  return answer;
}

/** Requests to the platform's own API, with what can go wrong told apart by what a person can do about it. */
import { Silence } from "./silence";

export type Answer<Body> =
  | { readonly kind: "done"; readonly body: Body }
  /** The server read the request and refuses it for good; the sentence says why, `body` may say more. */
  | { readonly kind: "refused"; readonly sentence: string; readonly body?: unknown }
  /** The server does not know this person (any more): logging in again helps. */
  | { readonly kind: "locked-out"; readonly sentence: string }
  /** No answer, or the server is in trouble: trying again helps. */
  | { readonly kind: "unreachable"; readonly sentence: string };

/** Read anew for each request: it changes when the person logs in again in another tab. */
export function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

export async function getJson<Body>(url: string): Promise<Answer<Body>> {
  return request<Body>(url, { headers: { Accept: "application/json" } });
}

export function postJson<Body>(url: string, body: unknown): Promise<Answer<Body>> {
  return sendJson<Body>("POST", url, body);
}

export function putJson<Body>(url: string, body: unknown): Promise<Answer<Body>> {
  return sendJson<Body>("PUT", url, body);
}

async function sendJson<Body>(method: "POST" | "PUT", url: string, body: unknown): Promise<Answer<Body>> {
  return request<Body>(url, {
    method,
    // A request that is under way when the page goes is still sent.
    keepalive: true,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(body),
  });
}

/** Posts a page form and gives the address that it led to. */
export async function postForm(url: string): Promise<Answer<string>> {
  try {
    const response = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
    if (response.ok) return { kind: "done", body: response.url };
    return failure(response.status, unexplained(response.status));
  } catch {
    return { kind: "unreachable", sentence: "The server cannot be reached." };
  }
}

async function request<Body>(url: string, init: RequestInit): Promise<Answer<Body>> {
  const silence = new Silence();
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: silence.signal, ...init });
    body = await response.json().catch(() => null);
  } catch {
    const what = silence.isTooLong ? "does not answer" : "cannot be reached";
    return { kind: "unreachable", sentence: `The server ${what}.` };
  } finally {
    silence.end();
  }
  return answerOf<Body>(response.status, body);
}

/** What an answer means, however it came; `body` is null where it is no JSON. */
export function answerOf<Body>(status: number, body: unknown): Answer<Body> {
  const isOk = status >= 200 && status < 300;
  if (isOk && body !== null) return { kind: "done", body: body as Body };
  if (isOk) return NOT_OURS;
  const detail = (body as { detail?: unknown } | null)?.detail;
  const sentence = typeof detail === "string" ? detail : unexplained(status);
  const failed = failure(status, sentence);
  if (failed.kind !== "refused") return failed;
  return isOurRefusal(body) ? { ...failed, body } : turnedAway(status);
}

/** The server says why in a sentence, or of each field: what a proxy answers for it, by size or by rule, does not. */
function isOurRefusal(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  const said = Object.values(body);
  return (
    typeof (body as { detail?: unknown }).detail === "string" ||
    (said.length > 0 && said.every(Array.isArray))
  );
}

function turnedAway(status: number): Answer<never> {
  const sentence = `Something between here and the server turned it away (${status}). Tell an admin if that goes on.`;
  return { kind: "unreachable", sentence };
}

/** Something between here and the server answers in its place. */
export const NOT_OURS: Answer<never> = {
  kind: "unreachable",
  sentence: "What came is no answer of the server: this network may ask for a login of its own.",
};

/** Where the server gives no sentence of its own. */
function unexplained(status: number): string {
  return status >= 500
    ? `The server is in trouble at the moment (${status}).`
    : `The server answered ${status}.`;
}

function failure(status: number, sentence: string): Exclude<Answer<never>, { kind: "done" }> {
  if (status === 401 || status === 403 || status === 404) return { kind: "locked-out", sentence };
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: "refused", sentence };
  return { kind: "unreachable", sentence };
}

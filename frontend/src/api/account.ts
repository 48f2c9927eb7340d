/** Who is logged in, and logging in again without leaving the page. */
import { type Answer, getJson, postJson, putJson } from "./client";
import type { components } from "./schema";

export type Login = components["schemas"]["Session"];

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export function whoIsLoggedIn(): Promise<Answer<Login>> {
  return getJson<Login>("/api/session/");
}

/** The server logs in `account` alone: another one's password is refused, and its sentence says so. */
export function logInAgain(account: string, { username, password }: Credentials): Promise<Answer<Login>> {
  return postJson<Login>("/api/session/", { account, username, password });
}

/** How the reading room is set up for this account. */
export type KeySettings = components["schemas"]["Preference"];

/** Refused where another than the page's own `account` is logged in by now. */
export function keySettings(account: string): Promise<Answer<KeySettings>> {
  return getJson<KeySettings>(keysOf(account));
}

export function keepKeySettings(account: string, settings: KeySettings): Promise<Answer<KeySettings>> {
  return putJson<KeySettings>(keysOf(account), settings);
}

const keysOf = (account: string): string => `/api/me/keys/?account=${account}`;

/** Who is logged in, and logging in again without leaving the page. */
import { type Answer, getJson, postJson } from "./client";
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

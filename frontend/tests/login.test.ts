import { afterEach, describe, expect, it, vi } from "vitest";
import { LOGGED_IN, Login } from "../src/reading-room/login";

const ACCOUNT = "U-000001";

const pseudonymOf = (account: string | null): string | null => account && `R-${account.at(-1)}`;

/** A reader of whom the server was found not to know any more; `account` is who is logged in by now. */
async function loggedOut(): Promise<{ login: Login; server: { account: string | null; isThere: boolean } }> {
  const server = { account: null as string | null, isThere: true };
  vi.stubGlobal("fetch", async () => {
    if (!server.isThere) throw new TypeError("no network");
    return new Response(JSON.stringify({ account: server.account, pseudonym: pseudonymOf(server.account) }));
  });
  const login = new Login(
    ACCOUNT,
    () => {},
    () => {},
  );
  await login.findOut();
  expect(login.state.who).toBe("nobody");
  login.ask();
  return { login, server };
}

describe("a request that was answered", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("ends the log-in where another tab logged the same reader in", async () => {
    const { login, server } = await loggedOut();
    server.account = ACCOUNT;
    await login.confirmed();
    expect(login.state).toEqual(LOGGED_IN);
  });

  it("takes nobody for logged in where it was sent before the session ended", async () => {
    const { login } = await loggedOut();
    await login.confirmed();
    expect(login.state).toMatchObject({ who: "nobody", isAsking: true });
  });

  it("tells of another who is logged in by now", async () => {
    const { login, server } = await loggedOut();
    server.account = "U-000002";
    await login.confirmed();
    expect(login.state).toMatchObject({ who: "another", other: "R-2", isAsking: true });
    server.account = null;
    await login.confirmed();
    expect(login.state).toMatchObject({ who: "nobody", other: null, isAsking: true });
  });

  it("changes nothing where the server does not say who it is", async () => {
    const { login, server } = await loggedOut();
    server.isThere = false;
    await login.confirmed();
    expect(login.state).toMatchObject({ who: "nobody", isAsking: true });
  });
});

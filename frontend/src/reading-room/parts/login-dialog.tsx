import { useEffect, useRef } from "preact/hooks";
import { csrfToken } from "../../api/client";
import type { Account } from "../account";
import type { LoginState } from "../login";
import type { Session } from "../session";
import { whoIsOut } from "./banners";
import { Dialog } from "./dialog";

const LOGIN_PAGE = "/login/";
const LOGOUT = "/logout/";

/** Over the case, which stays as it is: the same reader logs in again and goes on. */
export function LoginDialog(props: {
  readonly session: Session;
  readonly login: LoginState;
  readonly account: Account;
  /** Of the case that the reader comes back to. */
  readonly address: string;
}) {
  const { session, login, account } = props;
  const password = useRef<HTMLInputElement>(null);
  // The dialog is open by then, and has given the focus to its first field.
  useEffect(() => password.current?.focus(), []);
  useEffect(() => {
    if (login.refusal !== null) password.current?.select();
  }, [login.refusal]);
  return (
    <Dialog class="login" title="login-title" description="login-why" onClosed={() => session.cancelLogIn()}>
      {(close) => (
        <>
          <h2 id="login-title">Log in again</h2>
          <p id="login-why">
            {whoIsOut(login)} Everything that you rated is kept in this browser; it is sent as soon as you,{" "}
            {account.pseudonym}, are logged in.
          </p>
          <form
            class="form login-form"
            onSubmit={(event) => {
              event.preventDefault();
              const fields = new FormData(event.currentTarget);
              void session.logIn({
                username: String(fields.get("username")),
                password: String(fields.get("password")),
              });
            }}
          >
            <p>
              <label for="login-username">User name</label>
              <input
                id="login-username"
                name="username"
                autocomplete="username"
                required
                maxLength={150}
                defaultValue={account.username}
              />
            </p>
            <p>
              <label for="login-password">Password</label>
              <input
                ref={password}
                id="login-password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
                maxLength={200}
              />
            </p>
            <p class="refusal" role="alert">
              {login.refusal}
            </p>
            <div class="toolbar">
              <button type="submit" class="button primary" disabled={login.isChecking}>
                {login.isChecking ? "Logging in…" : "Log in"}
              </button>
              <button type="button" class="button" onClick={close}>
                Later <kbd>Esc</kbd>
              </button>
            </div>
          </form>
          {login.who === "another" ? (
            <OtherWay other={login.other} address={props.address} />
          ) : (
            <p class="quiet">
              Or go to the{" "}
              <a href={LOGIN_PAGE} target="_blank" rel="noopener">
                login page
              </a>
              , in a new tab: this case stays open here, and goes on once you are back.
            </p>
          )}
        </>
      )}
    </Dialog>
  );
}

/** The login page knows the other account, and would lead to its start page: that account is logged out first. */
function OtherWay({ other, address }: { readonly other: string | null; readonly address: string }) {
  const token = useRef<HTMLInputElement>(null);
  return (
    <form
      class="quiet other-way"
      method="post"
      action={LOGOUT}
      target="_blank"
      rel="noopener"
      onSubmit={() => {
        // Another log-in has brought another token since the page came.
        if (token.current) token.current.value = csrfToken();
      }}
    >
      <input ref={token} type="hidden" name="csrfmiddlewaretoken" />
      <input type="hidden" name="next" value={`${LOGIN_PAGE}?next=${encodeURIComponent(address)}`} />
      Logging in here logs {other} out. Or go by the login page, in a new tab, and come back to this case:{" "}
      <button type="submit" class="button">
        Log {other} out and log in there
      </button>
    </form>
  );
}

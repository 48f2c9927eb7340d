/** Notices that the reader's session is over, and logs the same reader in again without leaving the case. */
import { type Credentials, logInAgain, whoIsLoggedIn } from "../api/account";

export interface LoginState {
  /** "in" also where the server keeps this reader from this case alone: logging in would not help. */
  readonly who: "in" | "nobody" | "another";
  /** The pseudonym of that other account. */
  readonly other: string | null;
  readonly isAsking: boolean;
  readonly isChecking: boolean;
  /** Why the last try failed. */
  readonly refusal: string | null;
}

export const LOGGED_IN: LoginState = {
  who: "in",
  other: null,
  isAsking: false,
  isChecking: false,
  refusal: null,
};

export class Login {
  state = LOGGED_IN;

  constructor(
    private readonly account: string,
    private readonly tell: (state: LoginState) => void,
    private readonly loggedIn: () => void,
  ) {}

  /** The server locked a request out: finds out whether that is because nobody, or another, is logged in. */
  async findOut(): Promise<void> {
    const answer = await whoIsLoggedIn();
    if (answer.kind !== "done") return;
    const { account, pseudonym } = answer.body;
    if (account === this.account) return this.set({ who: "in", other: null });
    this.set({ who: account === null ? "nobody" : "another", other: pseudonym });
  }

  ask(): void {
    this.set({ isAsking: true, refusal: null });
  }

  cancel(): void {
    this.set({ isAsking: false, refusal: null });
  }

  async logIn(credentials: Credentials): Promise<void> {
    if (this.state.isChecking) return;
    this.set({ isChecking: true, refusal: null });
    const answer = await logInAgain(this.account, credentials);
    if (answer.kind !== "done") return this.set({ isChecking: false, refusal: answer.sentence });
    this.set(LOGGED_IN);
    this.loggedIn();
  }

  /** A request was answered: whoever was logged out may be in again, perhaps by another tab. The request may also be
   * older than the end of the session. */
  async confirmed(): Promise<void> {
    if (this.state.who === "in" && !this.state.isAsking) return;
    await this.findOut();
    if (this.state.who === "in") this.set(LOGGED_IN);
  }

  private set(part: Partial<LoginState>): void {
    this.state = { ...this.state, ...part };
    this.tell(this.state);
  }
}

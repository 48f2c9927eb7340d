/** How a reader set up the room: kept on the server for the account, and here for the time until it answers. */
import { type KeySettings, keepKeySettings, keySettings } from "../api/account";

const AS_THEY_COME: KeySettings = { keys: {}, has_single_keys: true, has_toured: false };

export class Settings {
  state: KeySettings;
  private readonly name: string;

  constructor(
    private readonly account: string,
    private readonly storage: Storage,
    private readonly tell: (state: KeySettings) => void,
  ) {
    this.name = `deepmedix-keys-${account}`;
    this.state = this.kept() ?? AS_THEY_COME;
  }

  async load(): Promise<void> {
    const answer = await keySettings(this.account);
    if (answer.kind === "done") this.set(answer.body);
  }

  /** Why it is not on the server, or null where it is. It counts on this page all the same. */
  async change(part: Partial<KeySettings>): Promise<string | null> {
    this.set({ ...this.state, ...part });
    const answer = await keepKeySettings(this.account, this.state);
    return answer.kind === "done" ? null : answer.sentence;
  }

  private kept(): KeySettings | null {
    try {
      return JSON.parse(this.storage.getItem(this.name) ?? "null") as KeySettings | null;
    } catch {
      return null;
    }
  }

  private set(state: KeySettings): void {
    this.state = state;
    this.storage.setItem(this.name, JSON.stringify(state));
    this.tell(state);
  }
}

/** How far an import is, in words and as a bar, what stops it, and the buttons that move it on. */
import type { QueueState, Result } from "./queue";
import { paragraph } from "./results";
import { timeLeft } from "./time-left";

export interface Steering {
  pause(): void;
  goOn(): void;
  leaveOut(): void;
  sendAgain(): void;
}

const HANDED_OVER = "sent, to be unpacked";

const number = new Intl.NumberFormat("en");
const files = (count: number): string => (count === 1 ? "1 file" : `${number.format(count)} files`);

export class ImportProgress {
  private readonly said = paragraph("");
  private readonly bar = document.createElement("progress");
  /** Alone is read out: what changes with every file would never let a screen reader end. */
  private readonly status = paragraph("");
  private readonly buttons = document.createElement("div");
  private readonly counts = new Map<string, number>();
  private numDone = 0;
  private numLeftOut = 0;
  private seconds = 0;
  private since: number | null = null;

  constructor(
    place: HTMLElement,
    private readonly steering: Steering,
  ) {
    this.status.setAttribute("role", "status");
    this.buttons.className = "toolbar";
    this.bar.setAttribute("aria-label", "Files that are done");
    this.bar.hidden = true;
    place.append(this.said, this.bar, this.status, this.buttons);
  }

  /** While dropped folders are looked through. */
  looksThrough(numFound: number): void {
    this.status.textContent = `Looking through the folders: ${files(numFound)} so far.`;
  }

  says(sentence: string): void {
    this.status.textContent = sentence;
  }

  judged({ outcome, isToLookAt }: Result): void {
    const kind = isToLookAt ? "to look at" : outcome === "handed over" ? HANDED_OVER : outcome;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.numDone += 1;
  }

  /** They are counted anew when they are judged. */
  sendsAgain(): void {
    this.numDone -= this.counts.get("not sent") ?? 0;
    this.counts.delete("not sent");
  }

  leftOut(count: number): void {
    this.numLeftOut += count;
  }

  show(state: QueueState): void {
    this.clock(state.current !== null);
    const numLeft = state.numWaiting + (state.current === null ? 0 : 1);
    const total = this.numDone + numLeft;
    const kinds = [...this.counts].map(([kind, count]) => `${number.format(count)} ${kind}`);
    if (this.numLeftOut > 0) kinds.push(`${number.format(this.numLeftOut)} left out`);
    const said =
      numLeft > 0 ? `Importing ${files(total)}, ${number.format(this.numDone)} done` : files(total);
    const left = timeLeft(this.numDone, this.seconds, numLeft);
    this.said.textContent = [said, ...kinds, ...(left ? [left] : [])].join(" · ");
    this.bar.hidden = numLeft === 0;
    this.bar.max = Math.max(total, 1);
    this.bar.value = this.numDone;
    this.tellHalt(state, numLeft);
    this.offer(state);
  }

  private tellHalt({ halt, current }: QueueState, numLeft: number): void {
    const sentence = ((): string => {
      if (halt?.why === "paused") return current === null ? "Paused." : "Pauses after what is on its way.";
      if (halt?.why === "away") return `${halt.sentence} Tried again by itself; nothing is lost meanwhile.`;
      if (halt?.why === "locked-out") return `${halt.sentence} Log in again in another tab, then go on here.`;
      if (numLeft > 0) return "";
      return this.counts.has(HANDED_OVER) ? "Sent." : "Done.";
    })();
    if (this.status.textContent !== sentence) this.status.textContent = sentence;
  }

  private offer({ halt, current, isLong, numWaiting, numUnsent }: QueueState): void {
    const offered: [string, () => void][] = [];
    if (halt !== null && numWaiting > 0) {
      offered.push([halt.why === "away" ? "Try now" : "Go on", this.steering.goOn]);
    } else if (halt === null && (numWaiting > 0 || isLong)) offered.push(["Pause", this.steering.pause]);
    if (numWaiting > 0) offered.push([`Leave out ${files(numWaiting)}`, this.steering.leaveOut]);
    if (numUnsent > 0 && current === null && numWaiting === 0) {
      offered.push([`Send ${files(numUnsent)} again`, this.steering.sendAgain]);
    }
    this.fillButtons(offered);
  }

  /** Each button stays where it is while its words change, so that the focus and the pointer do too. */
  private fillButtons(offered: readonly [string, () => void][]): void {
    while (this.buttons.children.length > offered.length) this.buttons.lastElementChild?.remove();
    while (this.buttons.children.length < offered.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      this.buttons.append(button);
    }
    for (const [at, [words, act]] of offered.entries()) {
      const button = this.buttons.children[at] as HTMLButtonElement;
      if (button.textContent !== words) button.textContent = words;
      button.onclick = act;
    }
  }

  /** The time that files took; a pause is none of it. */
  private clock(isWorking: boolean): void {
    const now = performance.now() / 1000;
    if (this.since !== null) this.seconds += now - this.since;
    this.since = isWorking ? now : null;
  }
}

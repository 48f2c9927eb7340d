/** Lines of print that were found on the film: each is suggested until it is a box, or was left. */
import type { Mask } from "./masks";

interface FoundHost {
  taken(found: readonly Mask[]): void;
  left(): void;
}

/** Those that are neither a box, under whatever size it has by now, nor left. */
export function stillSuggested(
  found: readonly Mask[],
  masks: readonly Mask[],
  left: ReadonlySet<string>,
): Mask[] {
  const taken = new Set(masks.map(({ uid }) => uid));
  return found.filter(({ uid }) => !taken.has(uid) && !left.has(uid));
}

export class Found {
  private found: readonly Mask[] = [];
  private readonly left = new Set<string>();
  private suggested: readonly Mask[] = [];
  private failure: string | null = null;
  private isLooking = true;

  constructor(
    private readonly said: HTMLElement,
    private readonly all: HTMLElement,
    private readonly list: HTMLElement,
    private readonly host: FoundHost,
  ) {
    said.tabIndex = -1;
    all.addEventListener("click", () => this.takeAll());
    list.addEventListener("click", (event) => {
      const button = (event.target as Element).closest("button");
      const uid = button?.closest("li")?.dataset.uid;
      if (button === null || uid === undefined) return;
      const at = this.suggested.findIndex((each) => each.uid === uid);
      const isTaken = button.dataset.foundTake !== undefined;
      if (isTaken) {
        this.take(uid);
      } else {
        this.left.add(uid);
        host.left();
      }
      this.focusNear(at, isTaken);
    });
  }

  get suggestions(): readonly Mask[] {
    return this.suggested;
  }

  /** It keeps its number, whatever becomes of the others. */
  nameOf(uid: string): string {
    return `?${this.found.findIndex((each) => each.uid === uid) + 1}`;
  }

  /** Whether all are dealt with; else it says what is not, where that is done. */
  isDealtWith(): boolean {
    const open = this.suggested.map(({ uid }) => this.nameOf(uid));
    if (open.length === 0) return true;
    const [are, them] = open.length === 1 ? ["is", "it"] : ["are", "them"];
    this.said.textContent = `Nothing was overwritten: ${open.join(", ")} ${are} neither taken nor left. Take ${them}, or leave what is no text.`;
    this.said.focus();
    return false;
  }

  answered(found: readonly Mask[]): void {
    this.isLooking = false;
    this.found = found;
  }

  failed(sentence: string): void {
    this.isLooking = false;
    this.failure = sentence;
  }

  private take(uid: string): void {
    this.host.taken(this.suggested.filter((each) => each.uid === uid));
  }

  takeAll(): void {
    if (this.suggested.length > 0) this.host.taken(this.suggested);
  }

  show(masks: readonly Mask[]): void {
    this.suggested = stillSuggested(this.found, masks, this.left);
    this.said.textContent = this.inWords();
    this.all.hidden = this.suggested.length < 2;
    this.list.replaceChildren(...this.suggested.map((one) => row(one, this.nameOf(one.uid))));
  }

  private inWords(): string {
    if (this.isLooking) return "Looking for lines of print …";
    if (this.failure !== null)
      return `Lines of print could not be looked for. ${this.failure} Draw boxes by hand.`;
    if (this.found.length === 0) return "No line of print was found. Look all the same: some are missed.";
    const number = this.suggested.length;
    if (number === 0)
      return "Each line of print that was found is dealt with. Look for others: some are missed.";
    const lines = number === 1 ? "1 line of print was found" : `${number} lines of print were found`;
    return `${lines}, dashed on the film. Take what is text, leave the rest, and look for others: some are missed.`;
  }

  /** On the same button of the row that has moved up. */
  private focusNear(at: number, isTaken: boolean): void {
    const buttons = this.list.querySelectorAll<HTMLElement>(
      isTaken ? "[data-found-take]" : "[data-found-leave]",
    );
    (buttons[Math.min(at, buttons.length - 1)] ?? this.said).focus();
  }
}

function row({ uid, box }: Mask, name: string): HTMLElement {
  const item = document.createElement("li");
  item.dataset.uid = uid;
  const words = document.createElement("span");
  words.textContent = `${name}: ${box.x_max - box.x_min} × ${box.y_max - box.y_min} pixels, from ${box.x_min}, ${box.y_min}`;
  item.append(words, button("Take", name, "foundTake"), button("Leave", name, "foundLeave"));
  return item;
}

function button(does: string, what: string, mark: "foundTake" | "foundLeave"): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button small";
  made.dataset[mark] = "";
  made.textContent = does;
  const hidden = document.createElement("span");
  hidden.className = "visually-hidden";
  hidden.textContent = ` ${what}`;
  made.append(hidden);
  return made;
}

/** From case to case: the signature goes the way of every change, and the next case is shown meanwhile where it is
 * ready; what the server refuses brings its case back. */
import { postForm } from "../api/client";
import { dropCopies } from "../api/films";
import type { Ending, Reading, Reported, Signed } from "../api/reading";
import { moment } from "../moments";
import { type Desk, hasItsFilm } from "./desk";
import type { Desks } from "./desks";
import { readingIn } from "./next-case";
import { letGoOfFocus } from "./scrolling";
import type { SessionState } from "./session-state";

/** Of a case that was signed before: how its reader study stands now is said on the worklist. */
const allThereIs = (study: string): Ending => ({
  study,
  sentence: "No further case of this reader study is open to you now.",
  may_take: false,
  onward: null,
});

/** Of an amendment that was signed; null of any other reading. */
export function amendedInWords({ case_label: label, amends_signed_at: at }: Reading): string | null {
  if (at === null) return null;
  return `Your amendment of ${label} is signed. It counts in place of your reading that was signed on ${moment(at)}, which is kept.`;
}

export interface OnwardHost {
  readonly state: SessionState;
  set(part: Partial<SessionState>): void;
  show(desk: Desk): void;
  open(uid: string, address: string): Promise<Desk | null>;
  reopen(): Promise<void>;
  showSaving(): void;
}

export class Onward {
  constructor(
    private readonly desks: Desks,
    private readonly host: OnwardHost,
  ) {}

  sign(desk: Desk): void {
    desk.saver.sign(desk.room.state.reading.instance.sop_instance_uid);
    if (!this.goAhead(desk)) this.host.set({ isSigning: true, refusal: null, notice: null });
  }

  /** From a case that was signed before, or that has said what was known of it. */
  async from(signed: Desk): Promise<void> {
    const to = this.desks.next.take();
    const { next, reader_study } = signed.room.state.reading;
    if (to === null) return this.goOn(next, allThereIs(reader_study));
    signed.saver.close();
    this.swapIn(to, signed);
    signed.view.clear();
    to.saver.release();
    await this.desks.prepareNext();
  }

  async signed(desk: Desk, { next, ending }: Signed): Promise<void> {
    if (desk === this.desks.left) return this.leftIsSigned(desk, next, ending);
    if (desk !== this.desks.shown) return;
    const { reading } = desk.room.state;
    if (reading.is_training) return this.host.reopen();
    const amended = amendedInWords(reading);
    await this.goOn(next, ending, { amended });
    if (amended !== null) this.host.set({ notice: amended });
  }

  /** The server has closed the film to everybody: its copies in this browser go too, and the next case is shown. */
  async reported(desk: Desk, { closes_case: closesCase, next, ending }: Reported): Promise<void> {
    const { reading } = desk.room.state;
    await dropCopies(closesCase ? filmsOfCase(reading) : filmsBeside(reading));
    if (desk !== this.desks.shown) return;
    const label = reading.case_label;
    if (closesCase) await this.goOn(next, ending, { isReported: true });
    else await this.host.reopen();
    this.host.set({
      notice: closesCase
        ? `${label} was reported and is out of use until a person has looked. What you said of it is kept.`
        : `The other film was reported and is out of use until a person has looked. You go on with ${label}.`,
    });
  }

  /** The case that was left was taken away, so its signature was not taken: the one on the screen stays. */
  takenAway(left: Desk, sentence: string): void {
    left.saver.close();
    left.view.clear();
    this.desks.left = null;
    this.desks.shown?.saver.release();
    this.host.showSaving();
    this.host.set({ notice: `${left.room.state.reading.case_label} was not signed. ${sentence}` });
  }

  notSigned(desk: Desk, sentence: string): void {
    const { problem } = desk.saver.state;
    if (problem?.kind === "out-of-use" || problem?.kind === "closed") return;
    if (desk === this.desks.left) this.comeBack(desk);
    if (desk !== this.desks.shown) return;
    desk.room.isSigning = false;
    this.host.set({ isSigning: false, refusal: `Not signed yet. ${sentence}` });
  }

  private goAhead(from: Desk): boolean {
    // A case that teaches says first what was known of it.
    if (this.desks.left !== null || from.room.state.reading.is_training) return false;
    const to = this.desks.next.take();
    if (to === null) return false;
    this.desks.left = from;
    this.swapIn(to, from);
    return true;
  }

  private swapIn(to: Desk, from: Desk): void {
    // Both before the page changes: for either the browser lays the page out, were it only to keep how far it was
    // scrolled.
    history.pushState({ uid: to.uid }, "", `/readings/${to.uid}/`);
    letGoOfFocus();
    this.desks.views.bringToFront(to.view);
    this.host.show(to);
    this.host.set({ notice: otherWork(from.room.state.reading, to.room.state.reading) });
    hasItsFilm(to);
    const display = to.view.display();
    if (display) to.room.displayChanged(display);
    to.saver.opened();
    performance.mark("next-case-shown", { detail: to.uid });
  }

  private async leftIsSigned(left: Desk, next: string | null, ending: Ending | null): Promise<void> {
    left.saver.close();
    left.view.clear();
    this.desks.left = null;
    const { shown } = this.desks;
    if (shown === null) return;
    if (readingIn(next) === shown.uid) {
      shown.saver.release();
      this.host.showSaving();
      const amended = amendedInWords(left.room.state.reading);
      if (amended !== null) this.host.set({ notice: amended });
      return this.desks.prepareNext();
    }
    const { case_label: label } = shown.room.state.reading;
    await this.goOn(next, ending);
    this.host.set({
      notice: `${label} was not your next case after all. Nothing that you did there was sent; it is kept in this browser.`,
    });
  }

  /** The server refused what was sent from the case that was left: it is shown again. */
  private comeBack(left: Desk): void {
    const { shown } = this.desks;
    this.desks.left = null;
    this.desks.views.bringToFront(left.view);
    this.host.show(left);
    hasItsFilm(left);
    history.replaceState({ uid: left.uid }, "", `/readings/${left.uid}/`);
    if (shown === null) return;
    if (!shown.saver.isSigning && hasItsFilm(shown)) this.desks.next.keep(shown);
    else shown.saver.close();
  }

  private async goOn(
    next: string | null,
    ending: Ending | null,
    { isReported = false, amended = null }: { isReported?: boolean; amended?: string | null } = {},
  ): Promise<void> {
    const { stage: open } = this.host.state;
    const before = open.kind === "open" ? open.state.reading : null;
    if (next === null) {
      this.desks.putAway();
      const study = before?.reader_study ?? "";
      const stage = { kind: "finished", ending: ending ?? allThereIs(study), isReported, amended } as const;
      return this.host.set({ stage, isSigning: false });
    }
    let address = next;
    if (readingIn(next) === null) {
      const made = await postForm(next);
      if (made.kind !== "done") {
        return this.host.set({ isSigning: false, refusal: `Signed. ${made.sentence}` });
      }
      address = made.body;
    }
    const uid = readingIn(address);
    if (uid === null) return location.assign(address);
    history.pushState({ uid }, "", address);
    const desk = await this.host.open(uid, `/api/readings/${uid}/?ahead=1`);
    if (desk === null) return;
    if (before) this.host.set({ notice: otherWork(before, desk.room.state.reading) });
    desk.saver.opened();
    void this.desks.prepareNext();
  }
}

/** Within a reader study, where the settling of disputes begins; null where a case is more of the same. To another
 * study no case leads by itself: what ended and what comes stand between. */
export function otherWork(before: Reading, now: Reading): string | null {
  if (now.is_adjudication && !before.is_adjudication) {
    const begins = "From here on you settle what readers dispute:";
    return now.stage === "first_read"
      ? `${begins} once you have locked a first read of your own, what they said stands beside each item.`
      : `${begins} what they said stands beside each item.`;
  }
  return null;
}

const filmsBeside = ({ films }: Reading): string[] => films.map(({ uid }) => uid);

function filmsOfCase({ instance, films }: Reading): string[] {
  return [instance.uid, ...films.filter(({ role }) => role === "same_study").map(({ uid }) => uid)];
}

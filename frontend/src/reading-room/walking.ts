/** Where the reader is in a case: the focus goes from item to item, from region to region, from side to side, and
 * the film follows it. */
import type { Side } from "../api/reading";
import type { FilmView } from "../viewer/film";
import { isDrawable, nextOf } from "../viewer/geometry";
import { openFirstRead } from "./first-read";
import { firstPlace, gaps, nextDisputed, placeOn, walked } from "./gaps";
import { hasTwo, otherSide, type Place } from "./place";
import { groupOf, itemInHand, placeOfRegion } from "./region-items";
import { missedFinding } from "./regions";
import type { RoomState } from "./room-state";
import type { Pointed } from "./scales";
import { turned } from "./turning";

export interface WalkHost {
  readonly state: RoomState;
  readonly view: FilmView;
  set(part: Partial<RoomState>): void;
  /** The focus moves because the reader wants it to. */
  moved(): void;
}

export class Walking {
  /** Where the reader was before saying what they think after the reveal. */
  private beforeChange: Place | null = null;

  constructor(private readonly host: WalkHost) {}

  goTo(place: Place): void {
    const { reading, place: from } = this.host.state;
    this.host.moved();
    if (place.kind === "first-read" && from.kind !== "first-read") this.beforeChange = from;
    this.host.set({
      place,
      drawing: null,
      inHand: null,
      fresh: null,
      writing: null,
      turn: turned(reading, from, place),
      hint: null,
      pointed: null,
    });
    this.look();
  }

  /** To what the reader thinks after the reveal: the keys mean that until Esc, or the way on. */
  toChangeOfMind(): void {
    const { place, reading } = this.host.state;
    if (openFirstRead(reading) !== "after_reveal") return;
    this.goTo({ kind: "first-read", side: place.side, part: "answer" });
    this.host.set({ hint: "Now the keys change what you think of the film. Esc goes back." });
  }

  /** Back to where the reader was; false where the keys are for something else. */
  leaveChangeOfMind(): boolean {
    const { place, reading } = this.host.state;
    if (place.kind !== "first-read" || reading.stage === "first_read") return false;
    const { beforeChange: before } = this;
    const isGone = before?.kind === "finding" && missedFinding(reading, before.finding) === null;
    this.goTo(before === null || isGone ? firstPlace(reading) : before);
    return true;
  }

  goToFirstGap(): void {
    const [gap] = gaps(this.host.state.reading);
    if (gap) this.goTo(gap.place);
  }

  toNextDisputed(): void {
    const { reading, place } = this.host.state;
    const next = nextDisputed(reading, place);
    if (next === null) this.host.set({ said: "Nothing of this case is disputed." });
    else this.goTo(next);
  }

  /** From a missed finding the way leads on to what its output still lacks. */
  walk(by: 1 | -1): void {
    const { reading, place, opened } = this.host.state;
    this.goTo(
      place.kind === "finding" && by === 1
        ? placeOn(reading, place.side)
        : walked(reading, place, by, opened),
    );
  }

  /** Of a step, what is not asked: to be answered all the same. */
  open(step: string, place: Place): void {
    this.host.set({ opened: [...this.host.state.opened, step] });
    this.goTo(place);
  }

  /** What is asked of both outputs keeps the focus: a digit goes on meaning it, whichever output is looked at. */
  turnTo(side: Side): void {
    const { reading, place } = this.host.state;
    if (!hasTwo(reading)) return;
    this.goTo(place.kind === "vote" || place.kind === "case" ? { ...place, side } : placeOn(reading, side));
  }

  swap(): void {
    this.turnTo(otherSide(this.host.state.place.side));
  }

  toRegion(uid: string): void {
    const place = placeOfRegion(this.host.state.reading, this.host.state.place, uid);
    if (place === null) return;
    this.goTo(place);
    if (place.kind !== "step") this.host.set({ inHand: uid });
  }

  toNextRegion(): void {
    const { reading, place, inHand } = this.host.state;
    const now = itemInHand(reading, place, inHand)?.uid ?? null;
    const items = now === null ? [] : (groupOf(reading, place, now)?.items ?? []);
    const next = nextOf(
      items.map(({ uid }) => uid),
      now,
    );
    if (next !== null && next !== now) this.toRegion(next);
  }

  /** The pointer is over a step or a missed finding. */
  hover(uid: string | null): void {
    if (uid !== this.host.state.hovered) this.host.set({ hovered: uid });
  }

  hoverRegion(region: string | null): void {
    const { reading, place } = this.host.state;
    const owner = region === null ? null : groupOf(reading, place, region)?.owner;
    this.hover(owner && owner.kind !== "first-read" ? owner.uid : null);
  }

  /** The pointer is over a value, or the focus is on it. */
  pointAt(pointed: Pointed | null): void {
    if (pointed !== this.host.state.pointed) this.host.set({ pointed });
  }

  /** Brings the region in hand into view. */
  look(): void {
    const { reading, place, inHand } = this.host.state;
    const item = itemInHand(reading, place, inHand);
    const { columns: width, rows: height } = reading.instance;
    if (item && isDrawable(item.box, { width, height })) this.host.view.bringIntoView(item.box);
  }
}

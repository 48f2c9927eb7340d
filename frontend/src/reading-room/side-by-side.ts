/** Two films beside each other: on which of them the tools work, and the way back to the rated one as it was. */
import type { FilmPlace, FilmView } from "../viewer/film";
import type { Looked } from "./films";
import type { RoomState } from "./room-state";

export interface PairHost {
  readonly state: RoomState;
  readonly view: FilmView;
  set(part: Partial<RoomState>): void;
}

const WHOLE: FilmPlace = { isFitted: true, zoom: 1, middle: { x: 0.5, y: 0.5 } };

const standsBeside = (looked: Looked | null): boolean => looked?.layout === "beside";

export class SideBySide {
  /** How the rated film lay before another one stood beside it. */
  private own: FilmPlace | null = null;
  private isPointerOnOther = false;

  constructor(
    private readonly host: PairHost,
    private readonly other: () => FilmView | null,
  ) {}

  /** The pointer is over the film that is not rated. */
  pointAt(isOnOther: boolean): void {
    this.isPointerOnOther = isOnOther;
  }

  /** The films that keys for a look change, first the one that leads: both where they are linked, else the one under
   * the pointer, and without a pointer on a film the rated one. */
  targets(): FilmView[] {
    const { looked, isLinked } = this.host.state;
    const rated = this.host.view;
    const other = this.other();
    if (other === null || looked === null) return [rated];
    if (!standsBeside(looked)) return [other];
    const [lead, second] = this.isPointerOnOther ? [other, rated] : [rated, other];
    return isLinked ? [lead, second] : [lead];
  }

  lead(): FilmView {
    return this.targets()[0] ?? this.host.view;
  }

  invert(): void {
    const isInverted = this.lead().display()?.inverted ?? false;
    for (const view of this.targets()) view.setInverted(!isInverted);
  }

  nextPreset(): void {
    const lead = this.lead();
    this.choosePreset(lead, ((lead.display()?.preset ?? -1) + 1) % Math.max(lead.presets().length, 1));
  }

  /** On a linked film the look of the same name; back to the first, each as it was first shown. */
  choosePreset(lead: FilmView, index: number): void {
    const name = lead.presets()[index] ?? "";
    lead.choosePreset(index);
    const targets = this.targets();
    for (const view of targets.includes(lead) ? targets : []) {
      if (view === lead) continue;
      const same = index === 0 ? 0 : view.presets().indexOf(name);
      if (same >= 0) view.choosePreset(same);
      else this.host.set({ said: `The other film has no “${name}”: it stays as it is.` });
    }
  }

  /** Before another film is looked at, or none any more. */
  leaving(before: Looked | null, next: Looked | null): void {
    this.isPointerOnOther = false;
    if (!standsBeside(before) && standsBeside(next)) this.own ??= this.host.view.place();
  }

  /** The films have the places that they have now: alone, the rated film lies as it did. */
  arranged(): void {
    if (this.own === null || this.host.state.looked !== null) return;
    const { own } = this;
    this.own = null;
    // What is closer is measured by the whole film, and that by the place it has.
    this.host.view.showPlace(WHOLE);
    if (!own.isFitted) this.host.view.showPlace(own);
  }
}

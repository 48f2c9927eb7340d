/** How a film looks on the screen: one of its looks, through the reader's window, inverted or not. */
import { exposedIn, exposedValues } from "./exposed";
import type { Affine, Size } from "./geometry";
import { cutPatch, type Patch } from "./lens";
import { NO_SMOOTHING, type Smoothing, smooth, smoothingFor } from "./smoothing";
import {
  type FilmSurvey,
  greysOf,
  paint,
  type Shade,
  type StoredValues,
  surveyFilm,
  type ValueRules,
} from "./values";
import {
  type Exposed,
  type FilmValues,
  isNearWindow,
  type Look,
  markedLook,
  markOf,
  type Preset,
  presetsOf,
  type Seen,
  seenLabel,
  type Window,
  windowOver,
} from "./window";

/** A film's values as they are stored, and what its header says of them. */
export interface DecodedFilm {
  readonly stored: StoredValues;
  readonly rules: ValueRules;
  readonly size: Size;
}

/** Where the picture is seen. */
export interface Screen {
  /** False where another film is there by now, or none. */
  shows(picture: Uint8Array): boolean;
  renew(): void;
}

export class Painting {
  /** The greys that are on the screen, painted anew in place. */
  readonly picture: Uint8Array;
  readonly presets: readonly Preset[];
  private readonly survey: FilmSurvey;
  private readonly exposed: Float64Array;
  private readonly exposedOf = new Map<Look, Exposed>();
  private chosen: Preset | null = null;
  private shade: Shade;
  private greys: Uint8Array = new Uint8Array(1);
  private smoothing: Smoothing = NO_SMOOTHING;
  private isReady = true;
  private isStale = false;

  constructor(
    private readonly film: DecodedFilm,
    private readonly screen: Screen,
  ) {
    this.survey = surveyFilm(film.stored, film.rules);
    this.exposed = exposedValues(film.stored, film.size, film.rules);
    this.presets = presetsOf(this.survey.looks);
    this.picture = new Uint8Array(film.stored.length);
    const [look] = this.survey.looks;
    this.shade = { look, window: look.window, inverted: false };
  }

  get look(): Look {
    return this.shade.look;
  }

  get window(): Window {
    return this.shade.window;
  }

  get isInverted(): boolean {
    return this.shade.inverted;
  }

  values(): FilmValues {
    const { window, table } = this.look;
    const range = table === null ? this.survey.range : { lower: 0, upper: table.maximum };
    return { initial: window, range, brighterIsHigher: this.film.rules.brighterIsHigher };
  }

  /** How the film is seen now, to be kept. */
  seen(): Seen {
    const { look, window, inverted } = this.shade;
    return { window, inverted, look: markOf(this.survey.looks, look) };
  }

  /** In words. */
  label(): string {
    return seenLabel(this.window, this.look, this.look === this.survey.looks[0]);
  }

  /** As it was seen before. False where the film has no such look: then nothing is changed. */
  seeAgain({ window, inverted, look: mark }: Seen): boolean {
    const look = markedLook(this.survey.looks, mark);
    if (look !== null) this.setShade({ look, window, inverted });
    return look !== null;
  }

  setWindow(window: Window): void {
    this.setShade({ window });
  }

  setInverted(inverted: boolean): void {
    this.setShade({ inverted });
  }

  choosePreset(preset: Preset): void {
    const next = this.seenBy(preset);
    if (next === null) return;
    this.chosen = preset;
    this.setShade(next);
  }

  /** For a film that lies on the screen like this. */
  smoothFor(affine: Affine): void {
    const next = smoothingFor(affine, devicePixelRatio);
    if (next.across === this.smoothing.across && next.down === this.smoothing.down) return;
    this.smoothing = next;
    this.paintSoon();
  }

  paint(): void {
    const { stored, rules, size } = this.film;
    this.greys = greysOf(rules, this.shade);
    paint(stored, this.greys, this.picture);
    smooth(this.picture, size, this.smoothing);
    this.isStale = false;
    this.screen.renew();
  }

  /** A part of the film as it looks now, never smoothed. */
  cut(left: number, top: number, size: Size): Patch {
    const { stored } = this.film;
    const mask = this.greys.length - 1;
    const greyOf = (index: number): number => this.greys[(stored[index] ?? 0) & mask] ?? 0;
    return cutPatch(greyOf, this.film.size, left, top, size);
  }

  private setShade(part: Partial<Shade>): void {
    this.shade = { ...this.shade, ...part };
    this.paintSoon();
  }

  /** The preset that shows the film as it is seen now; null for a window of the reader's own. */
  presetNow(): number | null {
    const shows = (preset: Preset): boolean => {
      const seen = this.seenBy(preset);
      return seen !== null && seen.look === this.look && isNearWindow(seen.window, this.window);
    };
    // Where two presets show the film alike, the chosen one is on: the next key goes on from it.
    const now = this.chosen !== null && shows(this.chosen) ? this.chosen : this.presets.find(shows);
    return now === undefined ? null : this.presets.indexOf(now);
  }

  /** A window by the film's values is one through the present look. */
  private seenBy(preset: Preset): Pick<Shade, "look" | "window"> | null {
    if ("from" in preset) {
      const { look } = this;
      return { look, window: windowOver(this.exposedIn(look), preset, look.curve) };
    }
    const look = this.survey.looks[preset.look];
    return look ? { look, window: look.window } : null;
  }

  private exposedIn(look: Look): Exposed {
    const known = this.exposedOf.get(look);
    if (known !== undefined) return known;
    const made = exposedIn(this.exposed, look.table, this.film.rules.brighterIsHigher);
    this.exposedOf.set(look, made);
    return made;
  }

  /** At once, and then once a frame: a drag tells of more movements than the screen shows. */
  private paintSoon(): void {
    if (!this.screen.shows(this.picture)) return;
    if (!this.isReady) {
      this.isStale = true;
      return;
    }
    this.paint();
    this.isReady = false;
    requestAnimationFrame(() => {
      this.isReady = true;
      if (this.isStale) this.paintSoon();
    });
  }
}

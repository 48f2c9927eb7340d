/** The other films of a case, to look at and compare: never to rate. */
import type { CompanionFilm, Reading } from "../api/reading";

/** How another film is looked at: in place of the one that is rated, or beside it. */
export type Layout = "instead" | "beside";

/** In less, two films and two outputs beside each other leave each film a strip. */
const LEAST_WIDTH_FOR_FOUR_PX = 1600;

export function isTooNarrowForFour(): boolean {
  return globalThis.innerWidth < LEAST_WIDTH_FOR_FOUR_PX;
}

export interface Looked {
  readonly film: string;
  readonly layout: Layout;
}

export function filmsOf(reading: Reading): readonly CompanionFilm[] {
  return reading.films;
}

export function companion(reading: Reading, looked: Looked | null): CompanionFilm | null {
  if (looked === null) return null;
  return filmsOf(reading).find((film) => film.uid === looked.film) ?? null;
}

/** The film after the one that is looked at; null is the film that is rated. */
export function filmAfter(reading: Reading, looked: Looked | null): string | null {
  const uids = filmsOf(reading).map((film) => film.uid);
  if (looked === null) return uids[0] ?? null;
  return uids[uids.indexOf(looked.film) + 1] ?? null;
}

const LATERAL_VIEWS = new Set(["LL", "RL", "LATERAL", "LAT"]);

/** "PA", "Lateral", "Prior PA". */
export function shortName({ view_position, role }: Pick<CompanionFilm, "view_position" | "role">): string {
  const view = LATERAL_VIEWS.has(view_position) ? "Lateral" : view_position || "Film";
  return role === "prior" ? `Prior ${view}` : view;
}

/** Two films of one view show the same parts in the same places, roughly. */
export function isOfOneView({ instance }: Reading, film: CompanionFilm | null): boolean {
  return film !== null && film.view_position !== "" && film.view_position === instance.view_position;
}

const DAYS_OF_MONTH = 365.25 / 12;
const FEWEST_DAYS_IN_MONTHS = 61;
const MONTHS_OF_YEAR = 12;

/** "9 days", from two months on "7 months", from two years on "3 years" or "2 years 5 months". */
function span(days: number): string {
  const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`;
  if (days < FEWEST_DAYS_IN_MONTHS) return counted(days, "day");
  const months = Math.round(days / DAYS_OF_MONTH);
  if (months < 2 * MONTHS_OF_YEAR) return counted(months, "month");
  const rest = months % MONTHS_OF_YEAR;
  const years = counted(Math.floor(months / MONTHS_OF_YEAR), "year");
  return rest === 0 ? years : `${years} ${counted(rest, "month")}`;
}

/** "7 months earlier", "same study"; with its name it says which film this is. */
export function standing({ role, days_before }: Pick<CompanionFilm, "role" | "days_before">): string {
  if (role === "same_study") return "same study";
  if (days_before === null) return "earlier";
  return days_before === 0 ? "same day" : `${span(days_before)} earlier`;
}

/** "PA": as the rated film is called beside others. */
export function ratedName({ instance }: Reading): string {
  return shortName({ view_position: instance.view_position, role: "same_study" });
}

/** The reader has to see at a glance that this is not the film that the ratings are for. */
export function bannerOf(film: CompanionFilm): string {
  return `${shortName(film)} · ${standing(film)}`;
}

export function pictureUrl(film: Pick<CompanionFilm, "uid">): string {
  return `/api/instances/${film.uid}/picture/`;
}

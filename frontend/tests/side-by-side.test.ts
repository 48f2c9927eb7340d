import { afterEach, describe, expect, it, vi } from "vitest";
import type { CompanionFilm } from "../src/api/reading";
import type { Action } from "../src/reading-room/actions";
import type { Display, FilmPlace } from "../src/viewer/film";
import { desk, FakeView, reading } from "./scene";

const preset: Action = { kind: "preset" };
const invert: Action = { kind: "invert" };
const link: Action = { kind: "link-films" };
const beside: Action = { kind: "film-layout" };

const PRIOR = {
  uid: "prior",
  role: "prior",
  view_position: "PA",
  days_before: 9,
} as unknown as CompanionFilm;

/** A film that keeps how it is looked at. */
class LookedAt extends FakeView {
  names = ["As stored", "Auto", "Lung"];
  preset = 0;
  inverted = false;
  override presets = () => this.names;
  override choosePreset(index: number) {
    this.preset = index;
  }
  override setInverted(inverted: boolean) {
    this.inverted = inverted;
  }
  override display = () => ({ preset: this.preset, inverted: this.inverted }) as Display;
}

async function twoFilms() {
  const { room } = await desk(reading({ part: { films: [PRIOR] } }), undefined, new LookedAt());
  const rated = room.view as LookedAt;
  const other = new LookedAt();
  room.perform(beside);
  room.films.attach(other);
  return { room, rated, other };
}

afterEach(() => void vi.unstubAllGlobals());

describe("two films and two outputs", () => {
  it("take each other's place in a narrow window", async () => {
    vi.stubGlobal("innerWidth", 1280);
    const { room } = await twoFilms();
    room.perform({ kind: "compare" });
    expect([room.state.isComparing, room.state.looked]).toEqual([true, null]);
    expect(room.state.said).toContain("The other film is closed");
    room.perform(beside);
    expect([room.state.isComparing, room.state.looked?.layout]).toEqual([false, "beside"]);
    expect(room.state.said).toContain("One output at a time");
  });

  it("stand beside each other in a wide one", async () => {
    vi.stubGlobal("innerWidth", 1920);
    const { room } = await twoFilms();
    room.perform({ kind: "compare" });
    expect([room.state.isComparing, room.state.looked?.layout, room.state.said]).toEqual([
      true,
      "beside",
      null,
    ]);
  });
});

describe("two films beside each other", () => {
  it("take a preset and the inversion together where they are linked, by the name of the look", async () => {
    const { room, rated, other } = await twoFilms();
    other.names = ["As stored", "Lung"];
    room.perform(preset);
    expect([rated.preset, other.preset]).toEqual([1, 0]);
    expect(room.state.said).toBe("The other film has no “Auto”: it stays as it is.");
    room.perform(preset);
    expect([rated.preset, other.preset]).toEqual([2, 1]);
    other.names = ["Full range", "Lung"];
    room.perform(preset);
    expect([rated.preset, other.preset]).toEqual([0, 0]);
    other.inverted = true;
    room.perform(invert);
    expect([rated.inverted, other.inverted]).toEqual([true, true]);
  });

  it("take them each alone where they are not: the one under the pointer, else the rated one", async () => {
    const { room, rated, other } = await twoFilms();
    room.perform(link);
    room.films.pair.pointAt(true);
    room.perform(preset);
    room.perform(invert);
    expect([rated.preset, rated.inverted]).toEqual([0, false]);
    expect([other.preset, other.inverted]).toEqual([1, true]);
    room.films.pair.pointAt(false);
    room.perform(preset);
    expect([rated.preset, other.preset]).toEqual([1, 1]);
  });

  it("give the rated one its own place back when it stands alone again, and not before", async () => {
    const { room, rated } = await twoFilms();
    const closer: FilmPlace = { isFitted: false, zoom: 3, middle: { x: 0.2, y: 0.3 } };
    rated.at = closer;
    room.films.pair.arranged();
    expect(rated.at).toBe(closer);
    room.films.look(null);
    room.films.pair.arranged();
    expect(rated.at.isFitted).toBe(true);

    rated.at = closer;
    room.films.look("prior", "beside");
    rated.at = { ...closer, zoom: 9 };
    room.films.look(null);
    room.films.pair.arranged();
    expect(rated.at).toEqual(closer);
  });
});

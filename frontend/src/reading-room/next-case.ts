/** The case after this one: fetched, its film decoded and drawn behind, so that it can be shown at once. */
import { getJson } from "../api/client";
import { mayBeSeen } from "../api/films";
import type { Reading } from "../api/reading";
import type { FilmView } from "../viewer/film";
import type { Desk } from "./desk";

const READING_PATH = /\/readings\/([0-9a-f-]{36})\//;

/** null for an address that is no reading's page. */
export function readingIn(address: string | null): string | null {
  return (address && READING_PATH.exec(address)?.[1]) ?? null;
}

export class NextCase {
  private turn = 0;
  private ready: Desk | null = null;

  constructor(
    private readonly lay: (stored: Reading, view: FilmView) => Promise<Desk>,
    private readonly behind: () => FilmView,
  ) {}

  /** Not opened by this: the server keeps the moment at which a case is shown. Fails in silence, since the
   * case is fetched again, and its trouble said, when its turn comes. */
  async prepare(uid: string): Promise<void> {
    this.drop();
    const { turn } = this;
    const answer = await getJson<Reading>(`/api/readings/${uid}/?ahead=1`);
    if (turn !== this.turn || answer.kind !== "done" || answer.body.signed_at !== null) return;
    const desk = await this.lay(answer.body, this.behind());
    if (turn !== this.turn || desk.saver.isReporting) return desk.saver.close();
    desk.saver.hold();
    await desk.room.loadFilm();
    if (desk.room.state.film.kind === "shown") await desk.view.drawn();
    if (turn !== this.turn || desk.room.state.film.kind !== "shown") return desk.saver.close();
    this.keep(desk);
  }

  /** A case that was shown already and went behind again. */
  keep(desk: Desk): void {
    this.turn += 1;
    this.ready = desk;
    performance.mark("next-case-ready", { detail: desk.uid });
  }

  /** The film that was made ready may have been taken out of use since: then it is not shown from here. */
  async askWhetherItMayBeSeen(): Promise<void> {
    const { ready } = this;
    if (ready === null || (await mayBeSeen(ready.room.state.reading.instance.uid))) return;
    if (ready !== this.ready) return;
    this.drop();
    ready.view.clear();
  }

  /** Hands the case over, null where none is ready. */
  take(): Desk | null {
    const { ready } = this;
    this.ready = null;
    this.turn += 1;
    return ready;
  }

  drop(): void {
    this.take()?.saver.close();
  }
}

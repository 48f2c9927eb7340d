import { useEffect, useRef, useState } from "preact/hooks";
import type { CompanionFilm } from "../../api/reading";
import { type Display, WrongImage } from "../../viewer/film";
import { createFilmView } from "../../viewer/view";
import { bannerOf } from "../films";
import type { Room } from "../room";
import { Cap } from "./cap";
import { FilmCorners } from "./film-corners";

/** Another film of the case, in place of the rated one or beside it, under a banner that says so. */
export function CompanionPanel(props: {
  readonly room: Room;
  readonly film: CompanionFilm;
  readonly isCovering: boolean;
  readonly isLinked: boolean;
}) {
  const { room, film, isCovering, isLinked } = props;
  const stage = useRef<HTMLDivElement>(null);
  const [display, setDisplay] = useState<Display | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (stage.current === null) return;
    const view = createFilmView(stage.current);
    let isGone = false;
    view.onDisplayChanged(setDisplay);
    view.onImageLost((lost) => setProblem(lost.message));
    const { film_url: url, sop_instance_uid: sopInstanceUid, file_sha256: sha256 } = film;
    view.showImage({ url, sopInstanceUid, sha256 }).then(
      () => {
        if (!isGone) room.films.attach(view);
      },
      (error) => {
        if (!(error instanceof WrongImage)) throw error;
        if (!isGone) setProblem(error.message);
      },
    );
    return () => {
      isGone = true;
      view.dispose();
    };
  }, [room, film.uid]);
  return (
    <section
      class={`film-companion${isCovering ? " covering" : ""}`}
      aria-label="Another film"
      onPointerEnter={() => room.films.pair.pointAt(true)}
      onPointerLeave={() => room.films.pair.pointAt(false)}
    >
      <div class="film-banner">
        <span>
          <strong>{bannerOf(film)}</strong> Not the film that you rate.
        </span>
        <span class="film-banner-buttons">
          <button
            type="button"
            aria-pressed={isLinked}
            title="Both films zoom, pan, and take a preset or invert together"
            onClick={() => room.perform({ kind: "link-films" })}
          >
            Linked <Cap of="link-films" />
          </button>
          <button type="button" onClick={() => room.perform({ kind: "film-layout" })}>
            {isCovering ? "Side by side" : "Full size"} <Cap of="film-layout" />
          </button>
          <button type="button" onClick={() => room.films.look(null)}>
            {isCovering ? "Back to the rated film" : "Close"} <kbd>Esc</kbd>
          </button>
        </span>
      </div>
      <div class="film-area">
        <div ref={stage} class="film-stage" />
        <FilmCorners
          lines={[
            `${film.modality} ${film.view_position}`,
            `${film.columns} × ${film.rows} · ${film.bits_stored} bit`,
          ]}
          spacing={film.column_spacing_mm}
          display={display}
        />
        {display === null && problem === null && (
          <div class="film-problem" role="status">
            <span class="quiet">Loading the film…</span>
          </div>
        )}
        {problem !== null && (
          <div class="film-problem" role="alert">
            <strong>{problem}</strong>
            <p>The rated film is not concerned.</p>
            <button type="button" class="button primary" onClick={() => room.films.look(null)}>
              Back to the rated film
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { csrfToken } from "../../api/client";
import { bannerOf, companion, ratedName } from "../films";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { CompanionPanel } from "./companion-panel";
import { FilmCorners } from "./film-corners";
import { FilmStrip } from "./film-strip";
import { FilmTools } from "./film-tools";

export function FilmPanel(props: {
  readonly room: Room | null;
  readonly state: RoomState | null;
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly worklistUrl: string;
  readonly onRetry: () => void;
}) {
  const { room, state } = props;
  const isShown = state?.film.kind === "shown";
  const other = state ? companion(state.reading, state.looked) : null;
  const isCovered = other !== null && state?.looked?.layout === "instead";
  useLayoutEffect(() => {
    if (other === null) room?.films.pair.arranged();
  }, [room, other === null]);
  return (
    <section class="film" aria-label="Film">
      <div class="film-bar">{room && state && isShown && <FilmTools room={room} state={state} />}</div>
      <div class="film-body">
        {room && state && isShown && <FilmStrip room={room} state={state} />}
        <div class={`film-rated${isCovered ? " covered" : ""}`} inert={isCovered}>
          {state && other && !isCovered && (
            <p class="film-banner rated">
              <span>
                <strong>{ratedName(state.reading)} · rated</strong> The film that you rate.
              </span>
            </p>
          )}
          <div class="film-area">
            <div ref={props.stage} class="film-stage" />
            {room && state && isShown && <Corners room={room} state={state} />}
            {state?.film.kind === "loading" && (
              <div class="film-problem" role="status">
                <span class="quiet">Loading the film…</span>
              </div>
            )}
            {state?.film.kind === "wrong" && (
              <div class="film-problem" role="alert">
                <strong>{state.film.sentence}</strong>
                {state.film.isMissing ? (
                  <p>
                    An admin sees that and can restore it; until then this case can't be read. What you said
                    of it is kept. On the worklist you go on with another case
                    {state.reading.give_back ? ", or give this one back" : ""}.
                  </p>
                ) : (
                  <p>
                    Nothing is shown and nothing can be rated until the right film is on screen. What you
                    rated before is kept.
                  </p>
                )}
                <div class="toolbar">
                  {state.film.isMissing && (
                    <a class="button primary" href={props.worklistUrl}>
                      Back to the worklist
                    </a>
                  )}
                  {state.film.isMissing && state.reading.give_back && (
                    <GiveBack address={state.reading.give_back} label={state.reading.case_label} />
                  )}
                  <button
                    type="button"
                    class={state.film.isMissing ? "button" : "button primary"}
                    onClick={props.onRetry}
                  >
                    Load the film again
                  </button>
                </div>
              </div>
            )}
          </div>
        </div>
        {room && state && other && (
          <CompanionPanel
            key={other.uid}
            room={room}
            film={other}
            isCovering={isCovered}
            isLinked={state.isLinked}
          />
        )}
      </div>
      <p class="film-said" role="status">
        {state?.said}
      </p>
      <p class="visually-hidden" role="status">
        {other && `${bannerOf(other)}. Not the film that you rate.`}
      </p>
      <p class="visually-hidden" role="status">
        {state?.ruler}
      </p>
    </section>
  );
}

/** Of a case that is held from a pool: another reader may have it, and what was said of it is kept. */
function GiveBack({ address, label }: { readonly address: string; readonly label: string }) {
  return (
    <form method="post" action={address}>
      <input type="hidden" name="csrfmiddlewaretoken" value={csrfToken()} />
      <button type="submit" class="button">
        Give back<span class="visually-hidden"> {label}</span>
      </button>
    </form>
  );
}

function Corners({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const { reading, display, place } = state;
  const { instance } = reading;
  return (
    <FilmCorners
      lines={[
        `${reading.case_label} · ${instance.modality} ${instance.view_position}`,
        `${instance.columns} × ${instance.rows} · ${instance.bits_stored} bit`,
        ...(place.kind === "vote" ? ["The outputs' own regions: A full, B dashed"] : []),
      ]}
      spacing={instance.column_spacing_mm}
      display={display}
      onWritten={() => room.view.arrangeLabels()}
    />
  );
}

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { csrfToken } from "../../api/client";
import type { Reading } from "../../api/reading";
import { bannerOf, companion, ratedName } from "../films";
import type { LoginState } from "../login";
import type { Room } from "../room";
import type { FilmState, RoomState } from "../room-state";
import { whoIsOut } from "./banners";
import { CompanionPanel } from "./companion-panel";
import { FilmCorners } from "./film-corners";
import { FilmStrip } from "./film-strip";
import { FilmTools } from "./film-tools";

export function FilmPanel(props: {
  readonly room: Room | null;
  readonly state: RoomState | null;
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly worklistUrl: string;
  /** Null before anything is known of who is logged in. */
  readonly login: LoginState | null;
  readonly onLogIn: () => void;
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
              <FilmProblem
                film={state.film}
                reading={state.reading}
                worklistUrl={props.worklistUrl}
                login={props.login}
                onLogIn={props.onLogIn}
                onRetry={props.onRetry}
              />
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

type Wrong = Extract<FilmState, { kind: "wrong" }>;

/** In place of the film: why none is there, and what helps. */
function FilmProblem(props: {
  readonly film: Wrong;
  readonly reading: Reading;
  readonly worklistUrl: string;
  readonly login: LoginState | null;
  readonly onLogIn: () => void;
  readonly onRetry: () => void;
}) {
  const { film, reading, login } = props;
  const isOut = film.isLockedOut && login !== null && login.who !== "in";
  const isRetryFirst = !film.isMissing && !isOut;
  return (
    <div class="film-problem" role="alert">
      <strong>{isOut ? whoIsOut(login) : film.sentence}</strong>
      <p>{whatNow(film, reading, isOut)}</p>
      <div class="toolbar">
        {isOut && (
          <button type="button" class="button primary" onClick={props.onLogIn}>
            Log in again
          </button>
        )}
        {film.isMissing && (
          <a class="button primary" href={props.worklistUrl}>
            Back to the worklist
          </a>
        )}
        {film.isMissing && reading.give_back && (
          <GiveBack address={reading.give_back} label={reading.case_label} />
        )}
        <button type="button" class={isRetryFirst ? "button primary" : "button"} onClick={props.onRetry}>
          Load the film again
        </button>
      </div>
    </div>
  );
}

function whatNow(film: Wrong, reading: Reading, isOut: boolean): string {
  if (film.isMissing) {
    const giveBack = reading.give_back ? ", or give this one back" : "";
    return `An admin sees that and can restore it; until then this case can't be read. What you said of it is kept. On the worklist you go on with another case${giveBack}.`;
  }
  if (isOut) return "The film is shown once you log in again. What you rated before is kept.";
  return "Nothing is shown and nothing can be rated until the right film is on screen. What you rated before is kept.";
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
        ...(place.kind === "vote" ? ["The outputs' own regions:", "A full, B dashed"] : []),
      ]}
      spacing={instance.column_spacing_mm}
      display={display}
      onWritten={() => room.view.arrangeLabels()}
    />
  );
}

import { filmsOf, pictureUrl, ratedName, shortName, standing } from "../films";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { giveKeysBack } from "../scrolling";

/** The films of the case: the one that is rated, and those to compare it with. Nothing where there is only one. */
export function FilmStrip({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const films = filmsOf(state.reading);
  if (films.length === 0) return null;
  const { instance } = state.reading;
  return (
    <nav class="film-strip" aria-label="Films of this case">
      <Thumbnail
        picture={pictureUrl(instance)}
        name={ratedName(state.reading)}
        note="rated"
        isRated
        isShown={state.looked?.layout !== "instead"}
        onShow={() => room.films.look(null)}
      />
      {films.map((film) => (
        <Thumbnail
          key={film.uid}
          picture={pictureUrl(film)}
          name={shortName(film)}
          note={standing(film)}
          isShown={state.looked?.film === film.uid}
          onShow={() => room.films.look(film.uid)}
        />
      ))}
    </nav>
  );
}

function Thumbnail(props: {
  readonly picture: string;
  readonly name: string;
  readonly note: string;
  readonly isRated?: boolean;
  readonly isShown: boolean;
  readonly onShow: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={props.isShown}
      onClick={(event) => {
        props.onShow();
        giveKeysBack(event);
      }}
    >
      <img src={props.picture} alt="" draggable={false} />
      <span class="name">{props.name}</span>
      <span class={props.isRated ? "rated" : "quiet"}>{props.note}</span>
    </button>
  );
}

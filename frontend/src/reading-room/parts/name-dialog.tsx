import { useEffect, useRef, useState } from "preact/hooks";
import { bannerOf, companion } from "../films";
import type { RoomState } from "../room-state";
import { Dialog } from "./dialog";

/** The second step before a film is reported: what will happen, said before it does. */
export function NameDialog(props: {
  readonly state: RoomState;
  readonly pseudonym: string;
  readonly onReport: (film: string) => void;
  readonly onClose: () => void;
}) {
  const { reading, looked } = props.state;
  const goOn = useRef<HTMLButtonElement>(null);
  const other = companion(reading, looked);
  const [film, setFilm] = useState<string | null>(other === null ? reading.instance.uid : null);
  // What the key was pressed on stays what is asked about.
  const [films] = useState([
    { uid: reading.instance.uid, name: "The film that you rate" },
    ...(other === null ? [] : [{ uid: other.uid, name: bannerOf(other) }]),
  ]);
  useEffect(() => goOn.current?.focus(), []);
  const isOfCase = other === null || other.role === "same_study" || film === reading.instance.uid;
  return (
    <Dialog class="name-dialog" title="name-title" description="name-what" onClosed={props.onClose}>
      {(close) => (
        <>
          <h2 id="name-title">Does this film show a name?</h2>
          <div id="name-what">
            <p>
              Or a date of birth, a number, a face: anything burned into the picture that tells who the
              patient is. If you report it:
            </p>
            <ul>
              <li>
                It is off your screen at once, and no reader, model, export or page shows it until an admin
                has looked.
              </li>
              <li>
                {isOfCase
                  ? "What you said of this case is kept. The case comes back to you if the film is let in; you go on with the next one."
                  : "You go on with this case, without that film."}
              </li>
              <li>Admins see that a reader reported it: {props.pseudonym}.</li>
            </ul>
            <p class="quiet">Do not write down anywhere what you read on it.</p>
          </div>
          {films.length > 1 && (
            <fieldset>
              <legend>Which one shows it?</legend>
              {films.map(({ uid, name }) => (
                <label key={uid}>
                  <input
                    type="radio"
                    name="named-film"
                    checked={film === uid}
                    onChange={() => setFilm(uid)}
                  />{" "}
                  {name}
                </label>
              ))}
            </fieldset>
          )}
          <div class="toolbar">
            <button ref={goOn} type="button" class="button primary" onClick={close}>
              No, go on reading <kbd>Esc</kbd>
            </button>
            <button
              type="button"
              class="button danger"
              disabled={film === null}
              onClick={() => {
                close();
                if (film !== null) props.onReport(film);
              }}
            >
              It does: report it
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

import type { RefObject } from "preact";
import type { DragTool } from "../../viewer/film";
import type { Room } from "../room";
import type { RoomState } from "../room-state";

const TOOLS: readonly { tool: DragTool; name: string; cap: string }[] = [
  { tool: "window", name: "Window", cap: "W" },
  { tool: "pan", name: "Pan", cap: "P" },
  { tool: "zoom", name: "Zoom", cap: "Z" },
];

export function FilmPanel(props: {
  readonly room: Room | null;
  readonly state: RoomState | null;
  readonly stage: RefObject<HTMLDivElement | null>;
  readonly onRetry: () => void;
}) {
  const { room, state } = props;
  const isShown = state?.film.kind === "shown";
  return (
    <section class="film" aria-label="Film">
      <div class="film-bar">{room && state && isShown && <Tools room={room} state={state} />}</div>
      <div class="film-area">
        <div ref={props.stage} class="film-stage" />
        {state && isShown && <Corners state={state} />}
        {state?.film.kind === "loading" && (
          <div class="film-problem" role="status">
            <span class="quiet">Loading the film…</span>
          </div>
        )}
        {state?.film.kind === "wrong" && (
          <div class="film-problem" role="alert">
            <strong>{state.film.sentence}</strong>
            <p>
              Nothing is shown and nothing can be rated until the right film is on screen. What you rated
              before is kept.
            </p>
            <button type="button" class="button primary" onClick={props.onRetry}>
              Load the film again
            </button>
          </div>
        )}
      </div>
    </section>
  );
}

function Tools({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const perform = room.perform.bind(room);
  return (
    <div class="film-tools" role="toolbar" aria-label="Film tools">
      {TOOLS.map(({ tool, name, cap }) => (
        <button
          key={tool}
          type="button"
          aria-pressed={state.tool === tool}
          onClick={() => perform({ kind: "tool", tool })}
        >
          {name} <kbd>{cap}</kbd>
        </button>
      ))}
      <button
        type="button"
        aria-pressed={state.display?.inverted ?? false}
        onClick={() => perform({ kind: "invert" })}
      >
        Invert <kbd>I</kbd>
      </button>
      <button type="button" onClick={() => perform({ kind: "fit" })}>
        Fit <kbd>0</kbd>
      </button>
      <button type="button" aria-pressed={state.showsAll} onClick={() => perform({ kind: "all-regions" })}>
        All regions <kbd>B</kbd>
      </button>
      <select
        aria-label="Window preset"
        value=""
        onChange={(event) => {
          room.choosePreset(Number(event.currentTarget.value));
          event.currentTarget.value = "";
        }}
      >
        <option value="" hidden>
          Presets
        </option>
        {room.presets().map((name, index) => (
          <option key={index} value={index}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

const SCALE_MM = 50;

function Corners({ state }: { readonly state: RoomState }) {
  const { reading, display } = state;
  const { instance } = reading;
  const spacing = instance.column_spacing_mm;
  const scalePx = spacing && display ? (SCALE_MM / spacing) * display.zoom : null;
  return (
    <>
      <div class="film-corner">
        {`${reading.case_label} · ${instance.modality} ${instance.view_position}\n`}
        {`${instance.columns} × ${instance.rows} · ${instance.bits_stored} bit\n`}
        {display?.label}
        {display?.inverted && " · inverted"}
      </div>
      <div class="film-corner right">
        {scalePx !== null && <span class="scale-bar" style={{ width: `${scalePx}px` }} />}
        {scalePx !== null ? "5 cm\n" : "spacing unknown\n"}
        {display && `zoom ${Math.round(display.zoom * 100)} %`}
      </div>
    </>
  );
}

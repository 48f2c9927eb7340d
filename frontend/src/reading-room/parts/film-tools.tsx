import type { DragTool } from "../../viewer/film";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { giveKeysBack } from "../scrolling";

const TOOLS: readonly { tool: DragTool; name: string; cap: string }[] = [
  { tool: "window", name: "Window", cap: "W" },
  { tool: "pan", name: "Pan", cap: "P" },
  { tool: "zoom", name: "Zoom", cap: "Z" },
  { tool: "measure", name: "Measure", cap: "M" },
];

/** What can be done to the film by mouse and finger; every one has a key. */
export function FilmTools({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const perform = room.perform.bind(room);
  const onClick = (event: MouseEvent): void => {
    // A list that is open needs the focus itself.
    if (!(event.target instanceof HTMLSelectElement)) giveKeysBack(event);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a key leaves the focus where it is
    <div class="film-tools" role="toolbar" aria-label="Film tools" onClick={onClick}>
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
      <button type="button" aria-pressed={state.isMagnifying} onClick={() => perform({ kind: "magnify" })}>
        Magnify <kbd>V</kbd>
      </button>
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
          room.films.choosePreset(Number(event.currentTarget.value));
          event.currentTarget.value = "";
        }}
      >
        <option value="" hidden>
          Presets
        </option>
        {room.films.presets().map((name, index) => (
          <option key={index} value={index}>
            {name}
          </option>
        ))}
      </select>
      <span class="film-undo">
        <button
          type="button"
          aria-label="Undo"
          title="Undo, Ctrl Z"
          aria-disabled={state.numUndoable === 0}
          onClick={() => perform({ kind: "undo" })}
        >
          ↶
        </button>
        <button
          type="button"
          aria-label="Redo"
          title="Redo, Ctrl Y"
          aria-disabled={state.numRedoable === 0}
          onClick={() => perform({ kind: "redo" })}
        >
          ↷
        </button>
      </span>
    </div>
  );
}

import type { DragTool } from "../../viewer/film";
import { aboutPreset } from "../../viewer/window";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { giveKeysBack } from "../scrolling";
import { Cap } from "./cap";

const TOOLS: readonly { tool: DragTool; name: string }[] = [
  { tool: "window", name: "Window" },
  { tool: "pan", name: "Pan" },
  { tool: "zoom", name: "Zoom" },
  { tool: "measure", name: "Measure" },
];

/** What can be done to the film by mouse and finger; every one has a key. */
export function FilmTools({ room, state }: { readonly room: Room; readonly state: RoomState }) {
  const perform = room.perform.bind(room);
  const display = room.films.display();
  const presets = room.films.presets();
  const chosen = presets[display?.preset ?? -1];
  const onClick = (event: MouseEvent): void => {
    // A list that is open needs the focus itself.
    if (!(event.target instanceof HTMLSelectElement)) giveKeysBack(event);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a key leaves the focus where it is
    <div class="film-tools" role="toolbar" aria-label="Film tools" onClick={onClick}>
      {TOOLS.map(({ tool, name }) => (
        <button
          key={tool}
          type="button"
          aria-pressed={state.tool === tool}
          onClick={() => perform({ kind: "tool", tool })}
        >
          {name} <Cap of={`tool-${tool}`} />
        </button>
      ))}
      <button type="button" aria-pressed={state.isMagnifying} onClick={() => perform({ kind: "magnify" })}>
        Magnify <Cap of="magnify" />
      </button>
      <button
        type="button"
        aria-pressed={display?.inverted ?? false}
        onClick={() => perform({ kind: "invert" })}
      >
        Invert <Cap of="invert" />
      </button>
      <button type="button" onClick={() => perform({ kind: "fit" })}>
        Fit <Cap of="fit" />
      </button>
      <button type="button" onClick={() => perform({ kind: "actual-size" })}>
        1:1 <Cap of="actual-size" />
      </button>
      <button type="button" aria-pressed={state.showsAll} onClick={() => perform({ kind: "all-regions" })}>
        All regions <Cap of="all-regions" />
      </button>
      <select
        aria-label="Window preset"
        title={chosen === undefined ? "A window of your own." : aboutPreset(chosen)}
        value={display?.preset ?? ""}
        onChange={(event) => room.films.choosePreset(Number(event.currentTarget.value))}
      >
        <option value="" hidden>
          Own window
        </option>
        {presets.map((name, index) => (
          <option key={index} value={index} title={aboutPreset(name)}>
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

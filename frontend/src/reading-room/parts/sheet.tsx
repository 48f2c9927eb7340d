import { useState } from "preact/hooks";
import type { KeySettings } from "../../api/account";
import type { Reading } from "../../api/reading";
import { capOf, isMovable, nameOfShortcut, problemOf, shortcutsWith, withMoved } from "../keymap";
import { allScales } from "../scales";
import type { Settings } from "../settings";
import type { Shortcut } from "../shortcuts";
import { Cap } from "./cap";
import { Dialog } from "./dialog";

const GROUPS: readonly Shortcut["group"][] = ["Rate", "Reading", "Walk", "Regions", "Film"];

interface Line {
  readonly label: string;
  readonly caps: readonly string[];
  /** The shortcut, where a reader may move it. */
  readonly movable: Shortcut | null;
}

/** Shortcuts that mean the same share a line. */
function linesOf(shortcuts: readonly Shortcut[], group: Shortcut["group"]): Line[] {
  const lines = new Map<string, Line>();
  for (const shortcut of shortcuts.filter((each) => each.group === group)) {
    const { label, caps } = shortcut;
    const known = lines.get(label);
    const all = [...new Set([...(known?.caps ?? []), ...caps])];
    lines.set(label, { label, caps: all, movable: isMovable(shortcut) ? shortcut : null });
  }
  return [...lines.values()];
}

/** Every shortcut, moved to where the reader wants it, and the switch that turns single keys off (WCAG 2.1.4). */
export function ShortcutSheet(props: {
  readonly settings: Settings;
  /** The case on the screen, with what it asks. */
  readonly reading: Reading | null;
  readonly state: KeySettings;
  /** Null where no film is on the screen. */
  readonly onName: (() => void) | null;
  /** Null while the film is missing. */
  readonly onTour: (() => void) | null;
  readonly onClose: () => void;
}) {
  const { settings, state } = props;
  const [moving, setMoving] = useState<Shortcut | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const keep = async (part: Partial<KeySettings>, done: string): Promise<void> => {
    const problem = await settings.change(part);
    setSaid(problem === null ? done : `${done} It could not be kept for other days: ${problem}`);
  };
  const move = (shortcut: Shortcut, code: string): void => {
    const problem = problemOf(state.keys, shortcut, code);
    if (problem !== null) return setSaid(problem);
    setMoving(null);
    void keep(
      { keys: withMoved(state.keys, shortcut, code) },
      `“${shortcut.label}” is on ${capOf(code)} now.`,
    );
  };
  return (
    <Dialog
      class="keys-sheet"
      title="sheet-title"
      onClosed={props.onClose}
      mayLeave={() => {
        if (moving === null) return true;
        setMoving(null);
        setSaid(null);
        return false;
      }}
      onKeyDown={(event) => {
        if (moving === null || ["Escape", "Tab", "Shift"].includes(event.key)) return;
        event.preventDefault();
        move(moving, event.code);
      }}
    >
      {(close) => (
        <>
          <div class="toolbar">
            <h2 id="sheet-title">Keyboard shortcuts</h2>
            {props.onTour && (
              <button type="button" class="button" onClick={props.onTour}>
                Tour
              </button>
            )}
            {props.onName && (
              <button type="button" class="button danger" onClick={props.onName}>
                This film shows a name … <Cap of="report-name" />
              </button>
            )}
            <button type="button" class="button" onClick={close}>
              Close <kbd>Esc</kbd>
            </button>
          </div>
          <div class="toolbar">
            <label>
              <input
                type="checkbox"
                checked={state.has_single_keys}
                onChange={({ currentTarget: { checked } }) =>
                  void keep({ has_single_keys: checked }, `Single keys are ${checked ? "on" : "off"}.`)
                }
              />{" "}
              Single keys are on. They go by their place on the keyboard and rest while you type.
            </label>
            <button
              type="button"
              class="button"
              disabled={Object.keys(state.keys).length === 0}
              onClick={() => void keep({ keys: {} }, "All keys are where they come from.")}
            >
              Reset all keys
            </button>
          </div>
          <p class="sheet-said" role="status">
            {said ??
              (moving
                ? `Press the new key for “${moving.label}”. Esc leaves it as it is.`
                : "Press a framed key here to move it to another one.")}
          </p>
          <div class="sheet-groups">
            {GROUPS.map((group) => (
              <section key={group}>
                <h3>{group}</h3>
                <dl>
                  {linesOf(shortcutsWith(state.keys), group).map(({ label, caps, movable }) => (
                    <div key={label}>
                      <dt>
                        {movable ? (
                          <button
                            type="button"
                            class="key-button"
                            aria-label={`${label}: ${caps.join(" ")}. Move it to another key`}
                            aria-pressed={
                              moving !== null && nameOfShortcut(moving) === nameOfShortcut(movable)
                            }
                            onClick={() => {
                              setSaid(null);
                              setMoving(movable);
                            }}
                          >
                            {caps.join(" ")}
                          </button>
                        ) : (
                          caps.map((cap) => <kbd key={cap}>{cap}</kbd>)
                        )}
                      </dt>
                      <dd>{label}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
            <section>
              <h3>By itself</h3>
              <p class="quiet">
                The focus goes on by itself when an item is complete: to the next one that is open, from A to
                B, and then to what is asked between the two. A J right after that changes nothing, nor a G.
                On a redrawn region F keeps the box as it is drawn now; Undo or a click on "fits" goes back to
                the model's own. What both outputs say in the same words has one colour and a mark, = A 2;{" "}
                <Cap of="as-twin" /> rates it as there, a step with each region that lies at the same place;
                answers have the mark too. On a missed finding it says that the other output missed it too,
                with the regions drawn.
              </p>
            </section>
            <section>
              <h3>Mouse, fingers, lines</h3>
              <p class="quiet">
                On the film: the wheel zooms, the middle button pans, the right button zooms. One finger does
                what the chosen tool does or changes a region, two zoom and pan. Of a region that is redrawn a
                square resizes it and its edge moves it. Measuring and the magnifier follow the arrow keys
                too; with Ctrl or Alt these move the one or the other end. Measured lines stay with the
                reading; while M is chosen, G takes the next one in hand and Del removes it. Beside the last
                stands its ratio to the one before: of the widths of heart and thorax, the cardiothoracic
                ratio. Tab walks through the controls, as in every page.
              </p>
            </section>
          </div>
          {props.reading && <AllScales reading={props.reading} />}
        </>
      )}
    </Dialog>
  );
}

/** Every question of the reader study, and what each of its values means. */
function AllScales({ reading }: { readonly reading: Reading }) {
  const scales = allScales(reading);
  if (scales.length === 0) return null;
  return (
    <details>
      <summary>What the values mean</summary>
      <div class="sheet-groups">
        {scales.map(({ name, question, values }) => (
          <section key={name}>
            <h3>{name}</h3>
            <p class="quiet">{question}</p>
            <dl class="sheet-values">
              {values.map(({ label, anchor }) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>{anchor}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </details>
  );
}

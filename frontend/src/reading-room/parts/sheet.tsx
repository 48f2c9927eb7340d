import { useEffect, useRef } from "preact/hooks";
import { SHORTCUTS, type Shortcut } from "../keys";

const GROUPS: readonly Shortcut["group"][] = ["Rate", "Walk", "Regions", "Film", "Reading"];

/** Shortcuts that mean the same share a line. */
function linesOf(group: Shortcut["group"]): { label: string; caps: string[] }[] {
  const lines = new Map<string, Set<string>>();
  for (const { label, caps } of SHORTCUTS.filter((shortcut) => shortcut.group === group)) {
    lines.set(label, new Set([...(lines.get(label) ?? []), ...caps]));
  }
  return [...lines].map(([label, caps]) => ({ label, caps: [...caps] }));
}

/** Every shortcut, and the switch that turns single keys off (WCAG 2.1.4). */
export function ShortcutSheet(props: {
  readonly singleKeys: boolean;
  readonly onSingleKeys: (on: boolean) => void;
  readonly onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="sheet-title" onClose={props.onClose}>
      <div class="toolbar">
        <h2 id="sheet-title">Keyboard shortcuts</h2>
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          Close <kbd>Esc</kbd>
        </button>
      </div>
      <label>
        <input
          type="checkbox"
          checked={props.singleKeys}
          onChange={(event) => props.onSingleKeys(event.currentTarget.checked)}
        />{" "}
        Single keys are on. They go by their place on the keyboard and rest while you type.
      </label>
      <div class="sheet-groups">
        {GROUPS.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {linesOf(group).map(({ label, caps }) => (
                <div key={label}>
                  <dt>
                    {caps.map((cap) => (
                      <kbd key={cap}>{cap}</kbd>
                    ))}
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="quiet">
        On the film: the wheel zooms, the middle button pans, the right button zooms. Tab walks through the
        controls from any of them; from a step it swaps A and B.
      </p>
    </dialog>
  );
}

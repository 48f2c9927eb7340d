import { useEffect, useRef } from "preact/hooks";
import { SHORTCUTS, type Shortcut } from "../keys";

const GROUPS: readonly Shortcut["group"][] = ["Rate", "Walk", "Regions", "Film", "Reading"];

const VOTE = { label: "Vote: A, tie, B", caps: ["1", "2", "3"] };

/** Shortcuts that mean the same share a line. */
function linesOf(group: Shortcut["group"]): { label: string; caps: string[] }[] {
  const lines = new Map<string, Set<string>>();
  for (const { label, caps } of SHORTCUTS.filter((shortcut) => shortcut.group === group)) {
    lines.set(label, new Set([...(lines.get(label) ?? []), ...caps]));
  }
  const merged = [...lines].map(([label, caps]) => ({ label, caps: [...caps] }));
  const [points, ...others] = merged;
  return group === "Rate" && points ? [points, VOTE, ...others] : merged;
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
        The focus goes on by itself when a step is complete, to the next one that is not, and never from A to
        B: J or Tab does that. A J right after that changes nothing. On a redrawn region F keeps the box as it
        is drawn now; Undo or a click on "fits" goes back to the model's own.
      </p>
      <p class="quiet">
        On the film: the wheel zooms, the middle button pans, the right button zooms. Tab walks through the
        controls from any of them; from a step it swaps A and B.
      </p>
    </dialog>
  );
}

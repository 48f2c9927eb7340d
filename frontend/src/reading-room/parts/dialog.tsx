import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { openDialog } from "../../dialog";

/** What lies over the room for a while: open as long as it is on the page. `children` are given what closes it. */
export function Dialog(props: {
  readonly class: string;
  /** The ids of its title, and of what describes it. */
  readonly title: string;
  readonly description?: string;
  /** The room is the reader's again: at once, so that the next key is heard. */
  readonly onClosed: () => void;
  /** Whether Escape closes it now; else it was for something within. */
  readonly mayLeave?: () => boolean;
  readonly onKeyDown?: (event: KeyboardEvent, close: () => void) => void;
  readonly children: (close: () => void) => ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const closing = useRef(() => {});
  const now = useRef(props);
  now.current = props;
  // With the page, not after it: what is within may ask for the focus, which a dialog gives to its first field as it
  // opens.
  useLayoutEffect(() => {
    if (element.current === null) return;
    let isGone = false;
    closing.current = openDialog(
      element.current,
      () => !isGone && now.current.onClosed(),
      () => now.current.mayLeave?.() ?? true,
    );
    const heard = new AbortController();
    // A click on its words leaves the focus on the page, whose keys are its own all the same. However it was closed:
    // the next key is the room's, also before the browser has told that it is closed.
    document.addEventListener(
      "keydown",
      (event) => {
        if (element.current?.open) now.current.onKeyDown?.(event, closing.current);
      },
      { signal: heard.signal },
    );
    return () => {
      isGone = true;
      heard.abort();
      closing.current();
    };
  }, []);
  const close = (): void => closing.current();
  return (
    <dialog
      ref={element}
      class={`sheet ${props.class}`}
      aria-labelledby={props.title}
      aria-describedby={props.description}
    >
      {props.children(close)}
    </dialog>
  );
}

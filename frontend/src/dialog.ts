/** A dialog over a page: what comes after it is done at the moment it closes, not when the browser tells of it later,
 * since a key in between would be lost. */

/** The dialogs that are open, the topmost last. */
const stack: HTMLDialogElement[] = [];

/** Returns what closes it. `mayLeave`: whether Escape closes it now, or was for something within. */
export function openDialog(
  dialog: HTMLDialogElement,
  closed: () => void,
  mayLeave: () => boolean = () => true,
): () => void {
  const over = new AbortController();
  const { signal } = over;
  const close = (): void => {
    if (signal.aborted) return;
    over.abort();
    stack.splice(stack.indexOf(dialog), 1);
    dialog.close();
    closed();
  };
  // Not left to the browser: Chromium asks nobody when Escape comes a second time, and tells of it afterwards.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
      if (stack.at(-1) !== dialog) return;
      event.preventDefault();
      if (mayLeave()) close();
    },
    { signal },
  );
  // What else a browser closes dialogs by, like the way back on a phone.
  dialog.addEventListener(
    "cancel",
    (event) => {
      event.preventDefault();
      if (mayLeave()) close();
    },
    { signal },
  );
  dialog.addEventListener("close", close, { signal });
  dialog.showModal();
  stack.push(dialog);
  return close;
}

/** A dialog over a page: what comes after it is done at the moment it closes, not when the browser tells of it later,
 * since a key in between would be lost. */

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
    dialog.close();
    closed();
  };
  dialog.addEventListener(
    "cancel",
    (event) => {
      event.preventDefault();
      if (mayLeave()) close();
    },
    { signal },
  );
  // Chromium asks nobody when Escape comes a second time.
  dialog.addEventListener("close", close, { signal });
  dialog.showModal();
  return close;
}

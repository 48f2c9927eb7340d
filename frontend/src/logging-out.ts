/** Logging out: asks first where changes of this reader still wait in this browser. */
import { openDialog } from "./dialog";
import { wait } from "./reading-room/counted";
import { dropEveryHistory } from "./reading-room/histories";
import { type CaseWaiting, waitingInTheEnd } from "./reading-room/waiting-here";

export function mindsWhatWaits(page: Document): void {
  const form = page.querySelector<HTMLFormElement>("form[data-logs-out]");
  const dialog = page.querySelector<HTMLDialogElement>("[data-asks-to-log-out]");
  if (form === null || dialog === null) return;
  const account = form.dataset.account ?? "";
  let close = (): void => {};
  let isAsking = false;

  const ask = (waiting: readonly CaseWaiting[]): void => {
    const said = dialog.querySelector("[data-what-waits]");
    if (said) said.textContent = whatWaits(waiting);
    close = openDialog(dialog, () => form.querySelector("button")?.focus());
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isAsking || dialog.open) return;
    isAsking = true;
    waitingInTheEnd(account, localStorage)
      // A browser that keeps nothing has nothing that waits.
      .catch(() => [])
      .then((waiting) => (waiting.length > 0 ? ask(waiting) : leave(form)))
      .finally(() => {
        isAsking = false;
      });
  });
  dialog.querySelector("[data-stays]")?.addEventListener("click", () => close());
  dialog.querySelector("[data-leaves]")?.addEventListener("click", () => leave(form));
}

/** "3 changes of X-12 wait in this browser: the server has not confirmed them." */
function whatWaits(waiting: readonly CaseWaiting[]): string {
  const number = waiting.reduce((sum, each) => sum + each.number, 0);
  const cases = waiting.map(({ caseLabel }) => caseLabel).join(", ");
  const them = number === 1 ? "it" : "them";
  return `${wait(number)} in this browser, of ${cases}: the server has not confirmed ${them} yet.`;
}

/** Past its own listener, which asks. */
async function leave(form: HTMLFormElement): Promise<void> {
  // A browser that keeps nothing has nothing to drop.
  await dropEveryHistory().catch(() => {});
  form.submit();
}

/** What takes seconds says so: a button with `data-busy` tells its words while its form is on the way. */

export function tellWaiting(page: Document): void {
  page.addEventListener("submit", (event) => {
    const { submitter } = event as SubmitEvent;
    if (event.defaultPrevented || !isBusyButton(submitter)) return;
    const form = event.target as HTMLFormElement;
    // Twice is one too many; a disabled button would not be sent with its form.
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    begin(form, submitter);
  });
  // A form that renews a part of the page is sent by htmx; what comes takes the words away.
  page.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = (event as CustomEvent<Sent>).detail;
    const button = (requestConfig.triggeringEvent as SubmitEvent | undefined)?.submitter ?? null;
    if (elt instanceof HTMLFormElement && isBusyButton(button)) begin(elt, button);
  });
  page.addEventListener("htmx:afterRequest", (event) => end((event as CustomEvent<Sent>).detail.elt));
  // The page as it was left comes back from the browser's memory.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of page.querySelectorAll("form[aria-busy]")) end(form);
  });
}

interface Sent {
  readonly elt: Element;
  readonly requestConfig: { readonly triggeringEvent?: Event };
}

function isBusyButton(button: HTMLElement | null): button is HTMLButtonElement {
  return button instanceof HTMLButtonElement && Boolean(button.dataset.busy);
}

function begin(form: HTMLFormElement, button: HTMLButtonElement): void {
  form.setAttribute("aria-busy", "true");
  const words = document.createElement("span");
  words.setAttribute("role", "status");
  words.className = "quiet";
  button.after(words);
  words.textContent = button.dataset.busy ?? "";
  // Beside the words, which are read out once: a bar that moves, and how long it has been by now.
  const shown = document.createElement("span");
  shown.setAttribute("aria-hidden", "true");
  shown.className = "waiting quiet";
  const bar = document.createElement("progress");
  const seconds = document.createElement("span");
  seconds.className = "mono";
  shown.append(bar, seconds);
  words.after(shown);
  const began = performance.now();
  const tell = (): void => {
    seconds.textContent = `${Math.round((performance.now() - began) / 1000)} s`;
  };
  tell();
  const clock = window.setInterval(() => (shown.isConnected ? tell() : window.clearInterval(clock)), 1000);
}

function end(form: Element): void {
  if (form.getAttribute("aria-busy") === null) return;
  form.removeAttribute("aria-busy");
  form.querySelector("[data-busy] + [role=status]")?.remove();
  form.querySelector(".waiting")?.remove();
}

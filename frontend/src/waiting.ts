/** What takes seconds says so: a button with `data-busy` tells its words while its form is on the way. */

export function tellWaiting(page: Document): void {
  page.addEventListener("submit", (event) => {
    const button = (event as SubmitEvent).submitter;
    if (!(button instanceof HTMLButtonElement) || !button.dataset.busy || event.defaultPrevented) return;
    const form = event.target as HTMLFormElement;
    // Twice is one too many; a disabled button would not be sent with its form.
    if (form.getAttribute("aria-busy") === "true") return event.preventDefault();
    form.setAttribute("aria-busy", "true");
    const words = page.createElement("span");
    words.setAttribute("role", "status");
    words.className = "quiet";
    button.after(words);
    words.textContent = button.dataset.busy;
    // Beside the words, which are read out once: a bar that moves, and how long it has been by now.
    const shown = page.createElement("span");
    shown.setAttribute("aria-hidden", "true");
    shown.className = "waiting quiet";
    const bar = page.createElement("progress");
    const seconds = page.createElement("span");
    seconds.className = "mono";
    shown.append(bar, seconds);
    words.after(shown);
    const began = performance.now();
    const tell = (): void => {
      seconds.textContent = `${Math.round((performance.now() - began) / 1000)} s`;
    };
    tell();
    const clock = window.setInterval(() => (shown.isConnected ? tell() : window.clearInterval(clock)), 1000);
  });
  // The page as it was left comes back from the browser's memory.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of page.querySelectorAll("form[aria-busy]")) {
      form.removeAttribute("aria-busy");
      form.querySelector("[data-busy] + [role=status]")?.remove();
      form.querySelector(".waiting")?.remove();
    }
  });
}

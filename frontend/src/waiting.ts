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
  });
  // The page as it was left comes back from the browser's memory.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of page.querySelectorAll("form[aria-busy]")) {
      form.removeAttribute("aria-busy");
      form.querySelector("[data-busy] + [role=status]")?.remove();
    }
  });
}

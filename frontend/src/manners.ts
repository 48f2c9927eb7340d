/** How the live parts of a page behave when the server refuses, is away, or has ended the session. */

interface Answer {
  readonly xhr: XMLHttpRequest;
  readonly elt: Element;
  readonly requestConfig: { readonly triggeringEvent?: Event };
  target: Element;
  shouldSwap: boolean;
  isError: boolean;
  selectOverride: string;
  swapOverride: string;
}

const LOGIN = "/login/";
const HEALTH = "/healthz";
const MOST_PATIENCE_MS = 10_000;

const detail = (event: Event): Answer => (event as CustomEvent<Answer>).detail;

/** A person pressed something; else the page renews a part of itself, which may fail and come back unseen. */
const isPressed = (answer: Answer): boolean =>
  ["submit", "click"].includes(answer.requestConfig.triggeringEvent?.type ?? "");

/** A part of the page follows what a person enters, as a plan follows its design. */
const isEntered = (answer: Answer): boolean =>
  ["input", "change"].includes(answer.requestConfig.triggeringEvent?.type ?? "");

export function minded(page: Document): void {
  page.addEventListener("htmx:beforeSwap", (event) => {
    const answer = detail(event);
    if (hasEndedSession(answer.xhr.responseURL)) {
      answer.shouldSwap = false;
      sayLoggedOut(page);
    } else if (answer.xhr.status >= 400 && isPressed(answer)) {
      showWholePage(page, answer);
    }
  });
  page.addEventListener("htmx:sendError", (event) => {
    const answer = detail(event);
    if (isPressed(answer)) answer.elt.after(unreachable("so nothing was changed. Try again in a moment."));
    else if (isEntered(answer) && !answer.target.querySelector("[data-unreachable]")) {
      const said = unreachable(
        "so this does not follow what you enter. It does again with a change once it is back.",
      );
      said.className = "banner bad";
      answer.target.prepend(said);
    }
  });
  page.addEventListener("htmx:beforeRequest", (event) => {
    detail(event).elt.parentElement?.querySelector("[data-unreachable]")?.remove();
  });
}

/** A request that is called off, since its page goes or a newer one takes its place, is no error: `htmx` would tell
 * the browser's console of one, twice. */
export function quietWhereCalledOff(page: Document, htmx: { logger: unknown }): void {
  const calledOff = new WeakSet<XMLHttpRequest>();
  page.addEventListener("htmx:beforeRequest", (event) => {
    const { xhr } = detail(event);
    const { onabort } = xhr;
    xhr.onabort = (aborted) => {
      calledOff.add(xhr);
      onabort?.call(xhr, aborted);
    };
  });
  // Asked before the console is told, of each event alike.
  htmx.logger = (_element: Element, _name: string, said: { xhr?: XMLHttpRequest; error?: unknown }) => {
    if (said.xhr && calledOff.has(said.xhr)) delete said.error;
  };
}

/** Fields that follow another one come from the server: what was typed into them meanwhile stays. */
export function keepWhatIsTyped(page: Document): void {
  const typedAt = new WeakMap<EventTarget, number>();
  const askedAt = new WeakMap<XMLHttpRequest, number>();
  page.addEventListener("input", ({ target, timeStamp }) => {
    if (target) typedAt.set(target, timeStamp);
  });
  page.addEventListener("htmx:beforeRequest", (event) => {
    const { xhr, requestConfig } = detail(event);
    askedAt.set(xhr, requestConfig.triggeringEvent?.timeStamp ?? event.timeStamp);
  });
  page.addEventListener("htmx:beforeSwap", (event) => {
    const answer = detail(event);
    if (!isEntered(answer)) return;
    const asked = askedAt.get(answer.xhr) ?? 0;
    const fields = [...answer.target.querySelectorAll('input[type="text"], textarea')];
    if (fields.some((field) => (typedAt.get(field) ?? 0) > asked)) answer.shouldSwap = false;
  });
}

/** Buttons that lead to another page by a plain form: with the server away the browser would show a page of its own
 * in place of this one. */
export function leadOnlyWhereItAnswers(page: Document): void {
  const answered = new WeakSet<HTMLFormElement>();
  const asking = new WeakSet<HTMLFormElement>();
  page.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-leads-on]") || answered.delete(form)) return;
    event.preventDefault();
    if (asking.has(form)) return;
    asking.add(form);
    form.parentElement?.querySelector("[data-unreachable]")?.remove();
    isServerUp()
      .then((isUp) => {
        if (isUp) {
          answered.add(form);
          form.requestSubmit(event.submitter);
        } else form.after(unreachable("so you stay here, and nothing is lost. Try again in a moment."));
      })
      .finally(() => asking.delete(form));
  });
}

/** A proxy before it answers too, with an error. */
async function isServerUp(): Promise<boolean> {
  const signal = AbortSignal.timeout(MOST_PATIENCE_MS);
  try {
    const response = await fetch(HEALTH, { method: "HEAD", cache: "no-store", signal });
    // Read to its end, empty as it is: a browser breaks off what nobody reads, and calls it failed.
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function hasEndedSession(answeredBy: string): boolean {
  return answeredBy !== "" && new URL(answeredBy).pathname === LOGIN && window.location.pathname !== LOGIN;
}

/** Without a reload: what was written on the page can still be copied. */
function sayLoggedOut(page: Document): void {
  if (page.querySelector("[data-logged-out]")) return;
  const said = page.createElement("div");
  said.className = "banner warn logged-out";
  said.setAttribute("role", "alert");
  said.dataset.loggedOut = "";
  const way = page.createElement("a");
  way.href = `${LOGIN}?next=${encodeURIComponent(window.location.pathname + window.location.search)}`;
  way.textContent = "Log in again";
  said.append("You are logged out, so nothing on this page is renewed or sent. ", way, ".");
  page.getElementById("main")?.prepend(said);
}

/** A refusal comes as a page, whatever part was asked for: it is shown as a plain form would show it. */
function showWholePage(page: Document, answer: Answer): void {
  const main = page.getElementById("main");
  if (!main) return;
  answer.shouldSwap = true;
  answer.isError = false;
  answer.target = main;
  answer.selectOverride = "#main";
  answer.swapOverride = "outerHTML";
}

function unreachable(what: string): HTMLElement {
  const said = document.createElement("p");
  said.className = "errorlist";
  said.setAttribute("role", "alert");
  said.dataset.unreachable = "";
  said.textContent = `The server can't be reached, ${what}`;
  return said;
}

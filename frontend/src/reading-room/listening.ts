/** What the page hears of its reader: keys, signs of life, and when it goes away. */
import { actionFor, type Focus, heldBy } from "./keys";
import { wouldBeLost } from "./save-state";
import { keepCurrentItemInSight, showCurrentItem } from "./scrolling";
import type { Session } from "./session";
import type { Shortcut } from "./shortcuts";

/** What keys open and close beside the room, and how they are set. */
export interface Around {
  openSheet(): void;
  askAboutName(): void;
  toggleScales(): void;
  /** The tour is offered no more, if it is. */
  leaveOffer(): void;
  singleKeys(): boolean;
  readonly shortcuts: readonly Shortcut[];
}

function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof HTMLElement)) return "page";
  const text = target.closest("textarea");
  if (text) return text.value === "" && text.matches(".of-an-output") ? "beginning" : "writing";
  if (target.closest("select, [contenteditable], input[type=number], input[type=text]")) return "text";
  if (target.closest("input")) return "choice";
  return target.closest("button, a, summary") ? "button" : "page";
}

/** From a field back to what it belongs to. */
function focusCurrentItem(): void {
  [...document.querySelectorAll<HTMLElement>(".room .current")].at(-1)?.focus();
}

/** Keys, signs of life, and what must not be lost when the page goes away. Returns the function that stops it. */
export function listen(session: Session, around: Around): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const room = () => (session.state.stage.kind === "open" ? session.state.stage.room : null);
  document.addEventListener(
    "keydown",
    (event) => {
      // What lies over the room has its own keys, also the one that closed it.
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const focus = focusOf(event.target);
      const isLetter = event.key.length === 1 && !(event.ctrlKey || event.metaKey || event.altKey);
      const isWordless = focus === "page" || focus === "button" || focus === "choice";
      if (isLetter && isWordless && room()?.texts.takesInVain()) return event.preventDefault();
      const action = actionFor(event, focus, around.singleKeys(), around.shortcuts);
      if (action === null) return;
      event.preventDefault();
      if (action.kind === "sheet") return around.openSheet();
      if (action.kind === "scales") return around.toggleScales();
      if (action.kind === "report-name") {
        return room()?.state.film.kind === "shown" ? around.askAboutName() : undefined;
      }
      // A key that is held down signs one case, never the next one too.
      if (action.kind === "sign") return event.repeat ? undefined : void session.sign().then(showCurrentItem);
      // What is under way is what Escape is for first.
      if (action.kind === "cancel" && isWordless && !room()?.isBusy) around.leaveOffer();
      const isWriting = focus === "writing" || focus === "beginning";
      if (action.kind === "cancel" && (focus === "text" || isWriting)) focusCurrentItem();
      room()?.perform(action, event.repeat);
      if (action.kind === "done" && isWriting) focusCurrentItem();
    },
    { signal },
  );
  document.addEventListener(
    "keyup",
    (event) => {
      for (const action of heldBy(event.code, around.shortcuts)) room()?.released(action);
    },
    { signal },
  );
  window.addEventListener(
    "blur",
    () => {
      room()?.showRegionsAgain();
      session.turnAway();
    },
    { signal },
  );
  // Before the key or click that closes what lies over the room: the time in which that was open is no work.
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"] as const) {
    document.addEventListener(kind, () => session.signOfLife(), { signal, passive: true, capture: true });
  }
  // Of a signed practice case what is known stands above it.
  const keepInSight = (): void => {
    if (room()?.state.reading.signed_at === null) keepCurrentItemInSight();
  };
  const resized = (): void => {
    room()?.resized();
    keepInSight();
  };
  window.addEventListener("resize", resized, { signal });
  window.addEventListener("online", () => session.retrySaving(), { signal });
  window.addEventListener("focus", () => session.turnBack(), { signal });
  window.addEventListener("pagehide", () => session.leave(), { signal });
  window.addEventListener(
    "beforeunload",
    (event) => {
      const { stage } = session.state;
      if ("save" in stage && wouldBeLost(stage.save)) event.preventDefault();
    },
    { signal },
  );
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "hidden") session.leave();
    },
    { signal },
  );
  window.addEventListener("popstate", () => location.reload(), { signal });
  return () => stopped.abort();
}

/** The sheet of held studies by keys: accepted, rejected, ticked one by one or together, and taken back. */
import type { Larger } from "./larger";
import { type Box, neighbour } from "./neighbour";

const ARROWS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" } as const;

export function decidesByKeys(sheet: HTMLFormElement, dialog: HTMLDialogElement, larger: Larger): void {
  const ticks = (within: Element = sheet): HTMLInputElement[] => [
    ...within.querySelectorAll<HTMLInputElement>("input[name=ticked]"),
  ];
  /** The cards that were decided on by themselves, the last one last. */
  const decided: string[] = [];
  /** How many decisions wait for their answer, and whether the last of them is to be taken back then. */
  let waiting = 0;
  let wantsBack = false;

  const tell = (): void => {
    const chosen = ticks().filter((tick) => tick.checked);
    const barred = chosen.filter((tick) => tick.closest("[data-held-barred]"));
    const say = (selector: string, words: string): void => {
      for (const place of sheet.querySelectorAll(selector)) place.textContent = words;
    };
    const can = chosen.length - barred.length;
    say("[data-held-num]", studies(chosen.length));
    say("[data-held-num-accept]", studies(can));
    say(
      "[data-held-told]",
      chosen.length === 0 ? "None is ticked." : `${chosen.length} of ${ticks().length} ticked`,
    );
    const stay = sheet.querySelector<HTMLElement>("[data-held-stay]");
    if (stay) {
      stay.hidden = barred.length === 0;
      const stays = barred.length === 1 ? "stays" : "stay";
      stay.textContent = `${studies(barred.length)} of the ticked ones can't be accepted, and ${stays} held: the cards say why.`;
    }
    for (const button of sheet.querySelectorAll<HTMLButtonElement>("button[name=decision]"))
      button.disabled = (button.value === "accept" ? can : chosen.length) === 0;
  };

  const tickAll = (within: Element): void => {
    const all = ticks(within);
    const isOn = all.every((tick) => tick.checked);
    for (const tick of all) tick.checked = !isOn;
    tell();
  };

  /** The key of a card goes on to the next at once: an answer may take its time. */
  const decide = (card: Element, which: "accept" | "reject"): void => {
    const button = card.querySelector<HTMLButtonElement>(`[data-held-${which}]`);
    if (!button || button.disabled) return;
    if (!dialog.open) {
      const all = ticks();
      const at = all.findIndex((tick) => card.contains(tick));
      (all[at + 1] ?? all[at - 1])?.focus();
    }
    button.click();
    button.disabled = true;
  };

  const takeBack = (): void => {
    wantsBack = waiting > 0;
    if (wantsBack) return;
    let undo: HTMLElement | null = null;
    while (!undo && decided.length > 0)
      undo = document.getElementById(decided.pop() ?? "")?.querySelector("[data-held-undo]") ?? null;
    undo ??= document.querySelector<HTMLElement>("[data-held-undo-last]");
    undo?.click();
  };

  const ask = (which: "accept" | "reject"): void => {
    for (const panel of sheet.querySelectorAll<HTMLDetailsElement>("[data-held-ask]"))
      panel.open = panel.dataset.heldAsk === which;
    sheet.querySelector<HTMLElement>(`button[name=decision][value=${which}]`)?.focus();
  };

  const walk = (from: HTMLInputElement, to: (typeof ARROWS)[keyof typeof ARROWS]): void => {
    const all = ticks();
    const boxes = all.map((tick) => boxOf(tick.closest("li") ?? tick));
    all[neighbour(boxes, all.indexOf(from), to)]?.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (target.matches("select, textarea, input:not([type=checkbox])")) return;
    const isOnSheet = sheet.contains(target) || target.closest("[data-held-card]") !== null;
    // One key alone acts only where the sheet has the focus, or a film of it stands over it.
    const key = event.key.toLowerCase();
    const card = dialog.open ? larger.shown() : target.closest("[data-held-card]");
    if (key === "u" && !event.shiftKey && (dialog.open || isOnSheet)) takeBack();
    else if (!dialog.open && target === document.body && ["ArrowRight", "ArrowDown"].includes(event.key))
      ticks()[0]?.focus();
    else if (!dialog.open && isOnSheet && event.shiftKey && key === "a") ask("accept");
    else if (!dialog.open && isOnSheet && event.shiftKey && key === "r") ask("reject");
    else if (!dialog.open && isOnSheet && key === "t" && !event.shiftKey) tickAll(sheet);
    else if (card && key === "a" && !event.shiftKey) decide(card, "accept");
    else if (card && key === "r" && !event.shiftKey) decide(card, "reject");
    else if (!dialog.open && event.key in ARROWS && target.matches("input[name=ticked]"))
      walk(target as HTMLInputElement, ARROWS[event.key as keyof typeof ARROWS]);
    else if (event.key === "Escape" && target.closest("[data-held-ask]")) {
      const panel = target.closest<HTMLDetailsElement>("[data-held-ask]");
      if (panel) panel.open = false;
      panel?.querySelector("summary")?.focus();
    } else return;
    event.preventDefault();
  });

  for (const which of ["accept", "reject"] as const)
    dialog.querySelector(`[data-larger-${which}]`)?.addEventListener("click", () => {
      const card = larger.shown();
      if (card) decide(card, which);
    });
  sheet.addEventListener("change", tell);
  sheet.addEventListener("focusin", ({ target }) =>
    (target as Element).closest("[data-held-card]")?.scrollIntoView({ block: "nearest" }),
  );
  for (const button of sheet.querySelectorAll<HTMLButtonElement>("[data-held-all], [data-held-group]")) {
    button.hidden = ticks(button.closest("section") ?? sheet).length < 2;
    button.addEventListener("click", () => tickAll(button.closest("section") ?? sheet));
  }
  sheet.addEventListener("htmx:beforeRequest", (event) => {
    if (isDecision((event as CustomEvent<Answer>).detail.elt)) waiting += 1;
  });
  sheet.addEventListener("htmx:afterRequest", (event) => {
    const { successful, elt } = (event as CustomEvent<Answer>).detail;
    if (elt instanceof HTMLButtonElement) elt.disabled = false;
    if (!successful && isDecision(elt)) over();
  });
  // Not before: a button of a new card does nothing until the card has settled.
  sheet.addEventListener("htmx:afterSettle", ({ target }) => {
    const card = target as HTMLElement;
    if ("heldDecided" in card.dataset) {
      if (card.querySelector("[data-held-undo]")) {
        decided.push(card.id);
        if (dialog.open) larger.next();
      }
      over();
    } else if (!dialog.open) card.querySelector<HTMLElement>("input[name=ticked]")?.focus();
    tell();
  });
  const over = (): void => {
    waiting = Math.max(waiting - 1, 0);
    if (wantsBack) takeBack();
  };
  tell();
  // Keys act from a card: one has the focus from the start.
  if (document.activeElement === document.body) ticks()[0]?.focus({ preventScroll: true });
}

interface Answer {
  readonly elt: Element;
  readonly successful: boolean;
}

const isDecision = (element: Element): boolean => element.matches("[data-held-accept], [data-held-reject]");

const studies = (number: number): string => (number === 1 ? "1 study" : `${number} studies`);

function boxOf(element: Element): Box {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { KeySettings } from "../api/account";
import { createFilmPair } from "../viewer/pair";
import type { Addresses } from "./addresses";
import { shortcutsWith } from "./keymap";
import { actionFor, type Focus, heldBy } from "./keys";
import { BareTopBar, BottomBar, TopBar } from "./parts/bars";
import { Shortcuts } from "./parts/cap";
import { Column } from "./parts/column";
import { FilmPanel } from "./parts/film-panel";
import { LoginDialog } from "./parts/login-dialog";
import { NameDialog } from "./parts/name-dialog";
import { OtherCases } from "./parts/other-cases";
import { ShortcutSheet } from "./parts/sheet";
import { Tour, TourOffer, type TourPart, type TourPlace } from "./parts/tour";
import { wouldBeLost } from "./save-state";
import { beginAtTop, keepCurrentItemInSight, showCurrentItem } from "./scrolling";
import { Session } from "./session";
import type { SessionState } from "./session-state";
import { Settings } from "./settings";
import type { Shortcut } from "./shortcuts";

function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof HTMLElement)) return "page";
  const text = target.closest("textarea");
  if (text) return text.value === "" && text.matches(".of-an-output") ? "beginning" : "writing";
  if (target.closest("select, [contenteditable], input[type=number], input[type=text]")) return "text";
  return target.closest("button, a, input, summary") ? "control" : "page";
}

/** No case is on the screen, and none is on its way. */
const NO_CASE: ReadonlySet<SessionState["stage"]["kind"]> = new Set([
  "finished",
  "reported",
  "out-of-use",
  "closed",
]);

/** Whose page this is. */
export interface Account {
  readonly uid: string;
  readonly pseudonym: string;
  /** Had signed no case when the page was opened. */
  readonly isNewHere: boolean;
}

export function ReadingRoom({
  uid,
  account,
  addresses,
}: {
  readonly uid: string;
  readonly account: Account;
  readonly addresses: Addresses;
}) {
  const stageElement = useRef<HTMLDivElement>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [state, setState] = useState<SessionState | null>(null);
  const [isSheetOpen, setSheetOpen] = useState(false);
  const [tour, setTour] = useState<TourPart | null>(null);
  const [isRestOwed, setRestOwed] = useState(false);
  const [isNaming, setNaming] = useState(false);
  const [tourPlace, setTourPlace] = useState<TourPlace | null>(null);
  const [settings, keySettings] = useSettings(account.uid);
  const [showsScales, toggleScales] = useScales();
  const shortcuts = useMemo(() => shortcutsWith(keySettings.keys), [keySettings.keys]);

  useEffect(() => {
    if (stageElement.current === null) return;
    const views = createFilmPair(stageElement.current);
    const made = new Session(views, account.uid, setState);
    setSession(made);
    setState(made.state);
    void made.start(uid);
    return () => {
      made.end();
      views.dispose();
    };
  }, [uid, account.uid]);

  useEffect(() => {
    if (session === null) return;
    return listen(session, {
      openSheet: () => setSheetOpen(true),
      askAboutName: () => setNaming(true),
      toggleScales,
      singleKeys: () => keySettings.has_single_keys,
      shortcuts,
    });
  }, [session, keySettings, shortcuts]);

  const open = state?.stage.kind === "open" ? state.stage : null;
  const reading = open?.state.reading ?? null;
  // Beyond the case of the page one was signed already.
  const isFirst = account.isNewHere && reading?.uid === uid && reading.signed_at === null;
  const isRestOffered = isRestOwed && reading?.stage === "rating";
  const isTourOffered = (isFirst && !keySettings.has_toured) || isRestOffered;
  const takeTour = (): void => {
    const isBefore = reading?.stage === "first_read";
    setTour(isBefore ? "first-read" : isRestOffered ? "after-reveal" : "whole");
    setRestOwed(isBefore);
  };
  useEffect(() => {
    if (reading === null) return;
    document.title = `${reading.case_label} · ${reading.reader_study}`;
    const heading = document.querySelector("h1");
    if (heading) heading.textContent = `Reading of ${reading.case_label}`;
  }, [reading?.case_label, reading?.reader_study]);
  useLayoutEffect(beginAtTop, [reading?.uid]);
  // A region is begun, drawn or taken back: what it belongs to says so; with the film the rows get their size. Of a
  // signed practice case what is known stands at the top instead.
  useEffect(() => {
    if (reading?.signed_at === null) keepCurrentItemInSight();
  }, [open?.state.drawing, reading?.drawn_regions.length, open?.state.film.kind]);
  return (
    <Shortcuts.Provider value={shortcuts}>
      <div
        class={`room${reading?.signed_at ? " signed" : ""}${open?.state.writing ? " writing" : ""}${tourPlace ? ` tour-${tourPlace}` : ""}${state && NO_CASE.has(state.stage.kind) ? " finished" : ""}`}
      >
        {open && state ? (
          <TopBar
            reading={open.state.reading}
            save={open.save}
            seconds={state.seconds}
            worklistUrl={addresses.worklist}
            onHelp={() => setSheetOpen(true)}
          >
            {session && <OtherCases session={session} leftovers={state.leftovers} />}
          </TopBar>
        ) : (
          <BareTopBar worklistUrl={addresses.worklist} />
        )}
        <FilmPanel
          room={open?.room ?? null}
          state={open?.state ?? null}
          stage={stageElement}
          worklistUrl={addresses.worklist}
          login={state?.login ?? null}
          onLogIn={() => session?.askToLogIn()}
          onRetry={() => session?.retryFilm()}
        />
        {session && state && (
          <Column
            session={session}
            state={state}
            addresses={addresses}
            showsScales={showsScales}
            onToggleScales={toggleScales}
          >
            {isTourOffered && tour === null && (
              <TourOffer
                isRest={isRestOffered}
                onTake={() => {
                  takeTour();
                  void settings.change({ has_toured: true });
                }}
                onLeave={() => {
                  setRestOwed(false);
                  void settings.change({ has_toured: true });
                }}
              />
            )}
          </Column>
        )}
        <BottomBar
          reading={reading}
          isWriting={open?.state.writing != null}
          singleKeys={keySettings.has_single_keys}
          shortcuts={shortcuts}
        />
        {open && (
          <p class="visually-hidden" role="status">
            {`On the screen now: ${open.state.reading.case_label}, number ${open.state.reading.position}.`}
          </p>
        )}
        {session && state?.login.isAsking && (
          <LoginDialog session={session} login={state.login} pseudonym={account.pseudonym} />
        )}
        {session && open && isNaming && (
          <NameDialog
            state={open.state}
            pseudonym={account.pseudonym}
            onReport={(film) => session.reportName(film)}
            onClose={() => setNaming(false)}
          />
        )}
        {isSheetOpen && (
          <ShortcutSheet
            reading={reading}
            onName={
              open?.state.film.kind === "shown"
                ? () => {
                    setSheetOpen(false);
                    setNaming(true);
                  }
                : null
            }
            settings={settings}
            state={keySettings}
            onTour={() => {
              setSheetOpen(false);
              takeTour();
            }}
            onClose={() => setSheetOpen(false)}
          />
        )}
        {tour !== null && (
          <Tour
            part={tour}
            onPlace={setTourPlace}
            onEnd={() => setTour(null)}
            onSheet={() => setSheetOpen(true)}
          />
        )}
      </div>
    </Shortcuts.Provider>
  );
}

/** The reader's own, as soon as the server has told them. */
function useSettings(account: string): [Settings, KeySettings] {
  const [, setState] = useState<KeySettings | null>(null);
  const settings = useMemo(() => new Settings(account, localStorage, setState), [account]);
  useEffect(() => void settings.load(), [settings]);
  return [settings, settings.state];
}

const SCALES = "deepmedix-all-values";

/** Whether every value's meaning is listed: as this browser showed it last. */
function useScales(): [boolean, () => void] {
  const [isOpen, setOpen] = useState(localStorage.getItem(SCALES) === "open");
  const toggle = useCallback(() => {
    setOpen((was) => {
      localStorage.setItem(SCALES, was ? "closed" : "open");
      return !was;
    });
  }, []);
  return [isOpen, toggle];
}

interface Surroundings {
  openSheet(): void;
  askAboutName(): void;
  toggleScales(): void;
  singleKeys(): boolean;
  readonly shortcuts: readonly Shortcut[];
}

/** From a field back to what it belongs to. */
function focusCurrentItem(): void {
  [...document.querySelectorAll<HTMLElement>(".room .current")].at(-1)?.focus();
}

/** Keys, signs of life, and what must not be lost when the page goes away. Returns the function that stops it. */
function listen(session: Session, around: Surroundings): () => void {
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
      if (isLetter && (focus === "page" || focus === "control") && room()?.texts.takesInVain())
        return event.preventDefault();
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
  window.addEventListener(
    "focus",
    () => {
      session.retrySaving();
      session.signOfLife();
    },
    { signal },
  );
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

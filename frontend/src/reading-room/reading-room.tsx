import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { KeySettings } from "../api/account";
import { createFilmPair } from "../viewer/pair";
import type { Account } from "./account";
import type { Addresses } from "./addresses";
import { shortcutsWith } from "./keymap";
import { listen } from "./listening";
import { BareTopBar, BottomBar, TopBar } from "./parts/bars";
import { Shortcuts } from "./parts/cap";
import { Column } from "./parts/column";
import { FilmPanel } from "./parts/film-panel";
import { LoginDialog } from "./parts/login-dialog";
import { NameDialog } from "./parts/name-dialog";
import { OtherCases } from "./parts/other-cases";
import { ShortcutSheet } from "./parts/sheet";
import { Tour, TourOffer } from "./parts/tour";
import { beginAtTop, keepCurrentItemInSight, showCurrentItem } from "./scrolling";
import { Session } from "./session";
import type { SessionState } from "./session-state";
import { Settings } from "./settings";
import type { TourPart, TourPlace } from "./tour-stops";

/** No case is on the screen, and none is on its way. */
const NO_CASE: ReadonlySet<SessionState["stage"]["kind"]> = new Set([
  "finished",
  "reported",
  "out-of-use",
  "closed",
]);

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

  const leaveOffer = useRef<(() => void) | null>(null);
  useEffect(() => {
    if (session === null) return;
    return listen(session, {
      openSheet: () => setSheetOpen(true),
      askAboutName: () => setNaming(true),
      toggleScales,
      leaveOffer: () => leaveOffer.current?.(),
      singleKeys: () => keySettings.has_single_keys,
      shortcuts,
    });
  }, [session, keySettings, shortcuts]);

  const open = state?.stage.kind === "open" ? state.stage : null;
  const reading = open?.state.reading ?? null;
  // Beyond the case of the page one was signed already.
  const isFirst = account.isNewHere && reading?.uid === uid && reading.signed_at === null;
  const isRestOffered = isRestOwed && reading?.stage === "rating";
  // It speaks of the film and of keys that rest without it.
  const isTourable = open?.state.film.kind !== "wrong";
  const isTourOffered = isTourable && ((isFirst && !keySettings.has_toured) || isRestOffered);
  const leaveTour = (): void => {
    setRestOwed(false);
    void settings.change({ has_toured: true });
  };
  const showsOffer = isTourOffered && tour === null;
  leaveOffer.current = showsOffer ? leaveTour : null;
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
        {open && (
          <button type="button" class="skip" onClick={showCurrentItem}>
            Skip to what is rated
          </button>
        )}
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
            {showsOffer && (
              <TourOffer
                isRest={isRestOffered}
                onTake={() => {
                  takeTour();
                  void settings.change({ has_toured: true });
                }}
                onLeave={leaveTour}
              />
            )}
          </Column>
        )}
        <BottomBar
          state={open?.state ?? null}
          singleKeys={keySettings.has_single_keys}
          shortcuts={shortcuts}
        />
        {open && (
          <p class="visually-hidden" role="status">
            {`On the screen now: ${open.state.reading.case_label}, number ${open.state.reading.position}.`}
          </p>
        )}
        {session && state?.login.isAsking && (
          <LoginDialog session={session} login={state.login} account={account} address={location.pathname} />
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
            onTour={
              isTourable
                ? () => {
                    setSheetOpen(false);
                    takeTour();
                  }
                : null
            }
            onClose={() => setSheetOpen(false)}
          />
        )}
        {tour !== null && reading !== null && (
          <Tour
            part={tour}
            reading={reading}
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

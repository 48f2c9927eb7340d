/** What this browser keeps of one reader's cases until the server has confirmed it, as pages beside the room ask. */
import { type InstantStorage, rowsIn } from "./last-resort";
import { type Kept, openOutbox } from "./outbox";
import { whenSent } from "./turns";
import { isSaid } from "./unsent";

export interface CaseWaiting {
  readonly reading: string;
  readonly caseLabel: string;
  readonly number: number;
}

/** Longer than an answer takes, and no longer than a person waits for a page. */
const MOST_PATIENCE_MS = 3000;

export async function waitingHere(account: string, storage: InstantStorage): Promise<CaseWaiting[]> {
  const kept = await openOutbox().then(
    (outbox) => outbox.all(),
    () => [],
  );
  return casesOf(account, [...kept, ...rowsIn(storage)]);
}

/** The same, once what is on its way at this moment has its answer. */
export async function waitingInTheEnd(account: string, storage: InstantStorage): Promise<CaseWaiting[]> {
  const now = await waitingHere(account, storage);
  if (now.length === 0) return now;
  await Promise.all(now.map(({ reading }) => whenSent(reading, MOST_PATIENCE_MS)));
  return waitingHere(account, storage);
}

/** Not of cases of which only the page's own notes wait. Nobody else's: a row that names no account is shown to its reader in the room alone. */
export function casesOf(account: string, rows: readonly Kept[]): CaseWaiting[] {
  const ids = new Map<string, { readonly caseLabel: string; readonly ids: Set<string> }>();
  const own = rows.filter((each) => each.account === account);
  const withWords = new Set(own.filter(isSaid).map(({ reading }) => reading));
  for (const row of own.filter(({ reading }) => withWords.has(reading))) {
    const found = ids.get(row.reading) ?? { caseLabel: row.caseLabel, ids: new Set() };
    ids.set(row.reading, found);
    found.ids.add(row.change.change_id);
  }
  return [...ids].map(([reading, found]) => ({
    reading,
    caseLabel: found.caseLabel,
    number: found.ids.size,
  }));
}

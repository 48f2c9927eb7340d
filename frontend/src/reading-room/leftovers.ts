/** What this browser still keeps of other cases: one's own is sent, other people's is left alone. */
import type { Outbox } from "./outbox";
import type { SaveState, Surroundings } from "./save-state";
import { Saver } from "./saver";

export interface Leftover {
  readonly reading: string;
  readonly caseLabel: string;
  readonly save: SaveState;
}

type Case = Pick<Leftover, "reading" | "caseLabel">;

export interface Leftovers {
  /** Of this reader's other cases, what could not be sent. */
  readonly own: readonly Leftover[];
  /** Other accounts made changes in this browser that wait here: whose and how many is not this reader's to know. */
  readonly hasOthers: boolean;
}

export const NO_LEFTOVERS: Leftovers = { own: [], hasOthers: false };

const SILENT = { changed: () => {}, signed: () => {}, notSigned: () => {}, reported: () => {} };

/** Those of one case, none of which the server takes any more. */
export async function forgetLeftover(one: Case, around: Surroundings): Promise<void> {
  const saver = await saverOf(one, around);
  await saver.forgetAll();
  saver.close();
}

/** Of a case that the server does not show: what this browser keeps of it, by the name that it had. */
export async function keptOf(
  reading: string,
  { outbox, account }: Surroundings,
): Promise<{ readonly caseLabel: string; readonly number: number }> {
  const rows = (await outbox.waiting(reading)).filter((row) => row.account === account);
  return { caseLabel: rows[0]?.caseLabel ?? "This case", number: rows.length };
}

async function saverOf({ reading, caseLabel }: Case, around: Surroundings): Promise<Saver> {
  const about = { uid: reading, case_label: caseLabel, saved_at: null, latest_changes: [] };
  const saver = new Saver(about, around, SILENT);
  await saver.unsent();
  return saver;
}

export async function sendLeftovers(
  outbox: Outbox,
  around: Surroundings,
  isOpen: (reading: string) => boolean,
): Promise<Leftovers> {
  const rows = await outbox.all();
  const mine = rows.filter((row) => row.account === around.account && !isOpen(row.reading));
  const labels = new Map(mine.map((row) => [row.reading, row.caseLabel]));
  const own: Leftover[] = [];
  for (const [reading, caseLabel] of labels) {
    const saver = await saverOf({ reading, caseLabel }, around);
    await saver.flush();
    saver.close();
    if (saver.state.numWaiting > 0) own.push({ reading, caseLabel, save: saver.state });
  }
  const hasOthers = rows.some((row) => row.account !== undefined && row.account !== around.account);
  return { own, hasOthers };
}

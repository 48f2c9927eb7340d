/** What is lost where changes that the server can't take any more are discarded, in words. */
import type { Sent } from "../api/reading";

/** One of its kind, and several. */
const NAMES: Readonly<Record<Sent["kind"], readonly [string, string]>> = {
  rate_step: ["rating or text of a step", "ratings or texts of steps"],
  annotate_region: ["verdict on a region", "verdicts on regions"],
  rate_answer: ["rating or text of an answer", "ratings or texts of answers"],
  cast_vote: ["vote", "votes"],
  draw_region: ["drawn region", "drawn regions"],
  add_finding: ["missed finding", "missed findings"],
  rate_criterion: ["answer to a question", "answers to questions"],
  say_first_read: ["change of the first read", "changes of the first read"],
  set_window: ["look of the film", "looks of the film"],
  measure_lines: ["change of measured lines", "changes of measured lines"],
  add_active_time: ["report of time at work", "reports of time at work"],
  sign: ["signature", "signatures"],
  open: ["note that the case was opened", "notes that the case was opened"],
  report_name: ["report of a name on a film", "reports of names on films"],
};

/** "2 votes and 1 drawn region", by kind in the order in which each came first. */
export function lostInWords(changes: readonly Pick<Sent, "kind">[]): string {
  const counts = new Map<Sent["kind"], number>();
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const said = [...counts].map(([kind, count]) => `${count} ${NAMES[kind][count === 1 ? 0 : 1]}`);
  return new Intl.ListFormat("en-GB").format(said);
}

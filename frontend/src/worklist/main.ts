/** The worklist: what this browser still keeps of the reader's cases is sent, and what can't be sent is said. */
import { send } from "../api/reading";
import { changes, wait } from "../reading-room/counted";
import { rescue } from "../reading-room/last-resort";
import { type Leftover, sendLeftovers } from "../reading-room/leftovers";
import { openOutbox, outboxInMemory } from "../reading-room/outbox";
import { FOR_GOOD } from "../reading-room/refusals";
import { type CaseWaiting, waitingHere } from "../reading-room/waiting-here";

const place = document.querySelector<HTMLElement>("[data-what-waits-of]");
if (place) void sendWhatWaits(place, place.dataset.whatWaitsOf ?? "");

async function sendWhatWaits(said: HTMLElement, account: string): Promise<void> {
  const waiting = await waitingHere(account, localStorage);
  said.replaceChildren(
    ...waiting.map((one) => line(`${waits(one)}: ${one.number === 1 ? "it is" : "they are"} being sent.`)),
  );
  const outbox = await rescue(localStorage, await openOutbox().catch(outboxInMemory));
  const around = { account, outbox, storage: localStorage, send };
  const { own } = await sendLeftovers(outbox, around, () => false);
  const left = new Map(own.map((one) => [one.reading, one]));
  said.replaceChildren(...waiting.map((one) => outcome(one, left.get(one.reading))));
}

function outcome(one: CaseWaiting, left: Leftover | undefined): HTMLElement {
  if (left === undefined) {
    const anew = link(location.href, "Show the list as it is now");
    const are = one.number === 1 ? "is" : "are";
    return line(`${changes(one.number)} of ${one.caseLabel} that waited here ${are} saved now. `, anew);
  }
  const { numWaiting: number, problem } = left.save;
  const open = link(`/readings/${one.reading}/`, `Open ${one.caseLabel}`);
  const now = waits({ ...one, number });
  if (problem && FOR_GOOD.has(problem.kind)) {
    return line(`${now}. ${problem.sentence} The case says what can be done. `, open);
  }
  const why = problem ? `${problem.sentence} ` : "";
  return line(`${now}. ${why}${number === 1 ? "It is" : "They are"} sent when you open the case. `, open);
}

const waits = ({ number, caseLabel }: CaseWaiting): string =>
  `${wait(number)} in this browser, of ${caseLabel}`;

function line(...words: (string | Node)[]): HTMLElement {
  const said = document.createElement("p");
  said.className = "quiet";
  said.append(...words);
  return said;
}

function link(address: string, words: string): HTMLAnchorElement {
  const made = document.createElement("a");
  made.href = address;
  made.textContent = words;
  return made;
}

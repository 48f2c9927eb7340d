/** What a reader added to an output and its answer does not say: no text to learn from. rl_feedback's rule
 * (preferences/agreeing.py) reads findings; here a finding counts as said where one of its own words is. */
import type { Completion, MissedFinding, Reading, Side } from "../api/reading";
import { answerRating } from "./changes";
import { findingName } from "./missed";
import { isWellFormed, type Place } from "./place";
import { answerQuestions, keyOf } from "./questions";
import { areSidesAlike } from "./sides";

interface NotSaid {
  readonly side: Side;
  readonly finding: MissedFinding;
}

/** In the order in which they were added. */
function notSaid(reading: Reading, only?: Side): NotSaid[] {
  return reading.completions
    .filter(({ side }) => only === undefined || side === only)
    .filter((completion) => isWellFormed(completion) && namesAllThatItsStepsName(completion))
    .filter(({ uid }) => answerRating(reading, uid).rewrite === "")
    .flatMap(({ uid, side, answer }) =>
      reading.missed_findings
        .filter((finding) => finding.completion === uid && isNotIn(answer, finding.text))
        .map((finding) => ({ side, finding })),
    );
}

const NONE =
  /\b(?:no|without)\b.*\b(?:finding|abnormalit|disease|process)|\b(?:normal|clear|unremarkable)\b/i;

/** A list of findings, none of its steps' left out; not the answer to a question. */
function namesAllThatItsStepsName({ answer, answer_names, steps }: Completion): boolean {
  if (answer_names.length === 0 && !NONE.test(answer)) return false;
  return steps
    .flatMap(({ names }) => names)
    .every((named) =>
      answer_names.some(
        (other) => named.finding === other.finding && areSidesAlike(named.sides, other.sides),
      ),
    );
}

/** Words that many findings share. */
const SHARED =
  /^(?:left|right|both|lung|lungs|small|large|mild|there|with|upper|lower|middle|zone|lobe|side)$/;

function isNotIn(answer: string, text: string): boolean {
  const said = answer.toLowerCase();
  const words = text.toLowerCase().match(/\p{L}{4,}/gu) ?? [];
  const own = words.filter((word) => !SHARED.test(word));
  return own.length > 0 && !own.some((word) => said.includes(word));
}

/** "The answer leaves out missed finding 1 of output A: rewrite it too, or it is no text to learn from."; empty
 * where nothing is left out. */
export function notSaidInWords(reading: Reading, only?: Side): string {
  const [first, ...others] = notSaid(reading, only);
  if (first === undefined) return "";
  const { uid, completion } = first.finding;
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const name = `${findingName(reading, uid, completion)}${more}`;
  return `The answer leaves out ${name}: rewrite it too, or it is no text to learn from.`;
}

/** The answer that leaves it out. */
export function placeOfNotSaid(reading: Reading): Place | null {
  const [first] = notSaid(reading);
  const completion = reading.completions.find(({ side }) => side === first?.side);
  const question = completion && answerQuestions(reading, completion)[0];
  if (first === undefined || question === undefined) return null;
  return { kind: "answer", side: first.side, question: keyOf(question) };
}

/** Two outputs whose answers say the same in words: what a reader said of the one taken over for the other. */
import type { AnswerRating, Change, Completion, Reading, Side } from "../api/reading";
import { answerRating } from "./changes";
import { completionOn, otherSide } from "./place";
import { answerQuestions, answerTo, asked, builtIn, type Question } from "./questions";
import { asAnswered, plainWords } from "./twins";

const RATED = ["relevance", "correctness", "completeness", "harm"] as const;

/** The other output where its answer says the same; null where it does not. */
export function answerTwinOf(reading: Reading, side: Side): Completion | null {
  const own = plainWords(completionOn(reading, side)?.answer ?? "");
  const other = completionOn(reading, otherSide(side));
  return other !== null && own !== "" && plainWords(other.answer) === own ? other : null;
}

/** Whether anything is asked that could be taken over. */
export function asksOfAnswers(reading: Reading): boolean {
  return asked(reading, "answer").length > 0;
}

/** "the answer of output A", seen from `side`. */
export function answerTwinName(side: Side): string {
  return `the answer of output ${otherSide(side).toUpperCase()}`;
}

/** What makes an answer rated as its twin: a rewrite is left as it is. A sentence instead where nothing is to be taken
 * over. */
export function asAnswerTwin(reading: Reading, side: Side): Change[] | string {
  const own = completionOn(reading, side);
  const name = answerTwinName(side);
  const capital = name.replace("t", "T");
  if (own === null || completionOn(reading, otherSide(side)) === null) return "This case has one output.";
  const twin = answerTwinOf(reading, side);
  if (twin === null) return `${capital} has other words.`;
  const there = answerRating(reading, twin.uid);
  const said = RATED.filter((field) => builtIn(reading, field) !== null && isSaid(there[field]));
  const ownThere = ownQuestions(reading, twin);
  const isSaidThere = said.length > 0 || ownThere.some((question) => answerTo(reading, question) !== null);
  if (!isSaidThere) return `${capital} is not rated yet.`;
  const here = answerRating(reading, own.uid);
  const taken = Object.fromEntries(said.map((field) => [field, there[field]]));
  const rating = { ...here, ...(taken as Partial<AnswerRating>) };
  const isRatedSo = said.every((field) => here[field] === there[field]);
  const changes: Change[] = [
    ...(isRatedSo ? [] : [{ kind: "rate_answer", payload: rating } as const]),
    ...asAnswered(reading, ownQuestions(reading, own), ownThere),
  ];
  return changes.length > 0 ? changes : `It is rated as ${name} already.`;
}

/** The reader study's own questions on an answer. */
function ownQuestions(reading: Reading, completion: Completion): Question[] {
  return answerQuestions(reading, completion).filter(({ criterion }) => criterion.field === "");
}

const isSaid = (value: number | string | null | undefined): boolean => value !== null && value !== "";

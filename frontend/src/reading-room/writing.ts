/** The texts of a reader's own: notes, wordings, findings, lines of impression; where each is kept. */
import type { Change, Completion, Reading, Step } from "../api/reading";
import { answerRating, stepRating, writeNote } from "./changes";
import { firstRead, sayingFirst, type When } from "./first-read";
import { answering, answerTo, keyOf, type Question } from "./questions";
import { withBoxes, wordsOf } from "./wordings";

/** The field that is being written in. */
export type Writing =
  | { readonly field: "note" | "wording"; readonly step: Step }
  | { readonly field: "rewrite"; readonly completion: Completion }
  | { readonly field: "finding"; readonly uid: string; readonly completion: string }
  | { readonly field: "impression"; readonly when: When }
  | { readonly field: "text"; readonly question: Question };

export function isSameField(a: Writing | null, b: Writing): boolean {
  return a !== null && keyOfField(a) === keyOfField(b);
}

function keyOfField(writing: Writing): string {
  switch (writing.field) {
    case "note":
    case "wording":
      return `${writing.field} ${writing.step.uid}`;
    case "rewrite":
      return `rewrite ${writing.completion.uid}`;
    case "finding":
      return `finding ${writing.uid}`;
    case "impression":
      return `impression ${writing.when}`;
    case "text":
      return `text ${keyOf(writing.question)}`;
  }
}

/** What stands in the field before a word is written: what was said before, else what the model said. */
export function textIn(reading: Reading, writing: Writing): string {
  switch (writing.field) {
    case "note":
      return stepRating(reading, writing.step.uid).note;
    case "wording":
      return wordsOf(stepRating(reading, writing.step.uid).edited_text || writing.step.text);
    case "rewrite":
      return answerRating(reading, writing.completion.uid).rewrite || writing.completion.answer;
    case "finding":
      return reading.missed_findings.find(({ uid }) => uid === writing.uid)?.text ?? "";
    case "impression":
      return firstRead(reading, writing.when).impression;
    case "text":
      return String(answerTo(reading, writing.question) ?? "");
  }
}

/** The change that keeps `text`; what the model said itself, or nothing, takes the reader's own text back. */
export function keeping(reading: Reading, writing: Writing, text: string): Change {
  switch (writing.field) {
    case "note":
      return writeNote(reading, writing.step.uid, text);
    case "wording": {
      const { text: original } = writing.step;
      const isOriginal = text === "" || text === wordsOf(original).trim();
      const edited_text = isOriginal ? "" : withBoxes(original.trim(), text);
      return { kind: "rate_step", payload: { ...stepRating(reading, writing.step.uid), edited_text } };
    }
    case "rewrite": {
      const { uid, answer } = writing.completion;
      const rewrite = text === answer.trim() ? "" : text;
      return { kind: "rate_answer", payload: { ...answerRating(reading, uid), rewrite } };
    }
    case "finding": {
      const { uid, completion } = writing;
      return { kind: "add_finding", payload: { uid, completion, text: text || null } };
    }
    case "impression":
      return sayingFirst(reading, writing.when, { impression: text });
    case "text":
      return answering(reading, writing.question, text || null);
  }
}

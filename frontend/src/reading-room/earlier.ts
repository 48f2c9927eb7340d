/** What earlier readers said of one item, for the reader who decides between them. */
import type { Reading, Step } from "../api/reading";
import { missedOf, regionsOfFirstRead, regionsOfMissed, regionsOnStep } from "./earlier-regions";
import { inWords as firstReadInWords } from "./first-read";
import { isAsked } from "./not-asked";
import { answerTo, builtIn, type Question } from "./questions";
import { wordsOf } from "./wordings";

export interface EarlierWord {
  /** "Reader 1": never a name. */
  readonly label: string;
  readonly said: string;
  /** Which of the earlier readers, from 1 on, where there is something of theirs on the film. */
  readonly drawn: number | null;
}

/** An earlier reading, put where the reader's own words stand, so that the same questions read it. */
function asReading(
  reading: Reading,
  earlier: NonNullable<Reading["adjudication"]>["readings"][number],
): Reading {
  return { ...reading, ...earlier, adjudication: null };
}

/** How each of them saw the film. */
export function earlierSights(reading: Reading): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).map(({ label, window }) => ({
    label,
    said: `saw the film ${window === null ? "as it is stored" : sightInWords(window)}`,
    drawn: null,
  }));
}

/** What each of those who were asked said of the film alone, and what they thought after it. */
export function earlierFirstReads(reading: Reading): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).flatMap((earlier, index) => {
    const { label, said_first, said_after_reveal } = earlier;
    if (said_first === null) return [];
    const regions = regionsOfFirstRead(earlier, index);
    const where = regions.length > 0 ? ` (${regions.map((region) => region.label).join(", ")})` : "";
    const after =
      said_after_reveal === null ? "" : `; after the reveal ${firstReadInWords(said_after_reveal)}`;
    const said = `first read ${firstReadInWords(said_first)}${after}${where}`;
    return [{ label, said, drawn: regions.length > 0 ? index + 1 : null }];
  });
}

function sightInWords({ center, width, inverted, look }: NonNullable<Reading["window"]>): string {
  const short = (value: number): number => Number(value.toPrecision(5));
  const isNamed = look !== null && (look.index > 0 || look.curve === "table");
  const words = [
    ...(isNamed ? [look.name] : []),
    `${look?.curve === "sigmoid" ? "S-curve " : ""}W ${short(width)} L ${short(center)}`,
    ...(inverted ? ["inverted"] : []),
  ];
  return `with ${words.join(", ")}`;
}

export function earlierAnswers(reading: Reading, question: Question): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).map((earlier) => ({
    label: earlier.label,
    said: inWords(asReading(reading, earlier), question),
    drawn: null,
  }));
}

/** Plausibility, verdicts, wording and note of a step, in the words of the page, as far as they were asked or given;
 * regions by their labels on the film. */
export function earlierOnStep(reading: Reading, step: Step): EarlierWord[] {
  const asked = { points: builtIn(reading, "plausibility"), verdict: builtIn(reading, "verdict") };
  return (reading.adjudication?.readings ?? []).flatMap((earlier, index) => {
    const rating = earlier.step_ratings.find((row) => row.step === step.uid);
    const points = rating?.cannot_judge ? "cannot judge" : rating?.plausibility;
    const drawn = regionsOnStep(earlier, index, step);
    const labelled = (uid: string): string => drawn.find((region) => region.of === uid)?.label ?? "";
    const verdicts = step.regions.flatMap(({ uid }) => {
      const verdict = earlier.region_annotations.find((row) => row.region === uid)?.verdict;
      if (verdict === "adjusted") return `redrawn as ${labelled(uid)}`;
      return verdict ?? (asked.verdict ? "no verdict" : []);
    });
    const further = drawn.filter(({ of }) => of === null).map(({ label }) => label);
    const parts = [
      ...(points || asked.points ? [points ?? "no rating"] : []),
      ...verdicts,
      ...(further.length > 0
        ? [`further ${further.length === 1 ? "region" : "regions"} ${further.join(", ")}`]
        : []),
      ...(rating?.edited_text ? [`would write “${wordsOf(rating.edited_text)}”`] : []),
      ...(rating?.note ? [`“${rating.note}”`] : []),
    ];
    if (parts.length === 0) return [];
    return [{ label: earlier.label, said: parts.join(", "), drawn: drawn.length > 0 ? index + 1 : null }];
  });
}

export function earlierRewrites(reading: Reading, completion: string): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).flatMap(({ label, answer_ratings }) => {
    const said = answer_ratings.find((row) => row.completion === completion)?.rewrite;
    return said ? [{ label, said: `would write “${said}”`, drawn: null }] : [];
  });
}

export function earlierFindings(reading: Reading, completion: string): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).flatMap((earlier, index) =>
    missedOf(earlier, completion).map(({ uid, text, number }) => {
      const labels = regionsOfMissed(earlier, index, uid, number).map(({ label }) => label);
      const where = labels.length > 0 ? ` (${labels.join(", ")})` : "";
      return { label: earlier.label, said: `${text}${where}`, drawn: labels.length > 0 ? index + 1 : null };
    }),
  );
}

function inWords(reading: Reading, question: Question): string {
  const { criterion } = question;
  const value = answerTo(reading, question);
  if (value === null) return isAsked(reading, question) ? "no answer" : "not asked";
  const values = Array.isArray(value) ? value : [value];
  const labels = values.map(
    (one) => criterion.options.find((option) => option.value === one)?.label ?? String(one),
  );
  return labels.join(", ");
}

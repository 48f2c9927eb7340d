/** What earlier readers said of one item, for the reader who decides between them. */
import type { CriterionValue, Reading } from "../api/reading";
import { answerTo, type Question } from "./questions";

export interface EarlierWord {
  /** "Reader 1": never a name. */
  readonly label: string;
  readonly said: string;
}

/** An earlier reading, put where the reader's own words stand, so that the same questions read it. */
function asReading(
  reading: Reading,
  earlier: NonNullable<Reading["adjudication"]>["readings"][number],
): Reading {
  return { ...reading, ...earlier };
}

export function earlierAnswers(reading: Reading, question: Question): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).map((earlier) => ({
    label: earlier.label,
    said: inWords(question, answerTo(asReading(reading, earlier), question)),
  }));
}

/** Plausibility, verdicts, wording and note of a step, in the words of the page. */
export function earlierOnStep(reading: Reading, step: string, regions: readonly string[]): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).map((earlier) => {
    const rating = earlier.step_ratings.find((row) => row.step === step);
    const points = rating?.cannot_judge ? "cannot judge" : (rating?.plausibility ?? "no rating");
    const verdicts = regions.map((region) => {
      const verdict = earlier.region_annotations.find((row) => row.region === region)?.verdict;
      return verdict === "adjusted" ? "redrawn" : (verdict ?? "no verdict");
    });
    const own = earlier.drawn_regions.filter((row) => row.step === step).length;
    const parts = [
      points,
      ...verdicts,
      ...(own > 0 ? [`${own} further ${own === 1 ? "region" : "regions"}`] : []),
      ...(rating?.edited_text ? [`would write “${rating.edited_text}”`] : []),
      ...(rating?.note ? [`“${rating.note}”`] : []),
    ];
    return { label: earlier.label, said: parts.join(", ") };
  });
}

export function earlierRewrites(reading: Reading, completion: string): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).flatMap(({ label, answer_ratings }) => {
    const said = answer_ratings.find((row) => row.completion === completion)?.rewrite;
    return said ? [{ label, said: `would write “${said}”` }] : [];
  });
}

export function earlierFindings(reading: Reading, completion: string): EarlierWord[] {
  return (reading.adjudication?.readings ?? []).flatMap(({ label, missed_findings }) =>
    missed_findings
      .filter((finding) => finding.completion === completion)
      .map(({ text }) => ({ label, said: text })),
  );
}

function inWords({ criterion }: Question, value: CriterionValue | null): string {
  if (value === null) return "no answer";
  const values = Array.isArray(value) ? value : [value];
  const labels = values.map(
    (one) => criterion.options.find((option) => option.value === one)?.label ?? String(one),
  );
  return labels.join(", ");
}

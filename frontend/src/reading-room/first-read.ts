/** What a reader says of the film alone, before any output is shown, and how it changes after. */
import type { Change, Finding, FirstRead, Reading } from "../api/reading";

export type When = "first" | "after_reveal";

type Said = Pick<FirstRead, "choice" | "findings" | "impression" | "confidence">;

const NOTHING: Said = { choice: "", findings: [], impression: "", confidence: null };

/** A change of mind begins with what was said first. */
export function firstRead(reading: Reading, when: When): Said {
  const { first = null, after_reveal = null } = reading.first_read ?? {};
  return (when === "after_reveal" ? (after_reveal ?? first) : first) ?? NOTHING;
}

/** Which of the two the reader can still change; null where none is asked, or all is signed. */
export function openFirstRead(reading: Reading): When | null {
  if (reading.first_read === null || reading.signed_at !== null) return null;
  return reading.stage === "first_read" ? "first" : "after_reveal";
}

export function sayingFirst(reading: Reading, when: When, said: Partial<Said>): Change {
  const { choice, findings, impression, confidence } = { ...firstRead(reading, when), ...said };
  const is_after_reveal = when === "after_reveal";
  return {
    kind: "say_first_read",
    payload: { is_after_reveal, choice, findings: findings as Finding[], impression, confidence },
  };
}

const NO_FINDING: Finding = "No Finding";
/** No finding of the patient: it can stand beside "No Finding". */
const SUPPORT_DEVICES: Finding = "Support Devices";

/** The last word counts: "No Finding" takes back every finding, and a finding takes back "No Finding". */
export function withFindingToggled(findings: readonly Finding[], finding: Finding): Finding[] {
  if (findings.includes(finding)) return findings.filter((one) => one !== finding);
  const stays = (one: Finding): boolean =>
    one === SUPPORT_DEVICES ||
    finding === SUPPORT_DEVICES ||
    (one === NO_FINDING) === (finding === NO_FINDING);
  return [...findings.filter(stays), finding];
}

/** "Pneumothorax", "Lung Opacity, Edema", "No finding was named": what was said, in words. */
export function inWords({ choice, findings, impression, confidence }: Said): string {
  const said = [choice, findings.join(", "), impression].filter((part) => part !== "").join("; ");
  return `${said || "nothing"}${confidence === null ? "" : ` (confidence ${confidence} of 5)`}`;
}

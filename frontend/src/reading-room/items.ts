/** What a change is of: two changes of one item contradict each other, unless the second has seen the first. */
import type { Change, Reading, Stored } from "../api/reading";
import { hasTwo } from "./place";

/** As on the server; kinds that are not here add up, or the last one is right. */
const FIELDS: Readonly<Record<string, string>> = {
  rate_step: "step",
  annotate_region: "region",
  rate_answer: "completion",
  cast_vote: "",
};

type AnyChange = Pick<Stored, "kind"> & { readonly payload: unknown };

const nameOf = (kind: string, item: string): string => `${kind} ${item}`;

/** null where changes of this kind contradict nothing. */
export function itemOf({ kind, payload }: AnyChange | Change): string | null {
  const field = FIELDS[kind];
  if (field === undefined) return null;
  return nameOf(kind, field && String((payload as Record<string, unknown>)[field]));
}

/** The id of each item's last change that this page knows of. */
export function seenIn(reading: Pick<Reading, "latest_changes">): Map<string, string> {
  return new Map(reading.latest_changes.map(({ kind, item, change_id }) => [nameOf(kind, item), change_id]));
}

/** "Step 2 of output A": what the reader calls the item. */
export function itemName(reading: Reading, { kind, payload }: AnyChange | Change): string {
  const uid = String((payload as Record<string, unknown>)[FIELDS[kind] ?? ""] ?? "");
  for (const completion of reading.completions) {
    const ofOutput = hasTwo(reading) ? ` of output ${completion.side.toUpperCase()}` : "";
    if (completion.uid === uid) return `The answer${ofOutput}`;
    for (const step of completion.steps) {
      if (step.uid === uid) return `Step ${step.position}${ofOutput}`;
      const region = step.regions.find((each) => each.uid === uid);
      if (region) return `Region ${region.position} of step ${step.position}${ofOutput}`;
    }
  }
  return kind === "cast_vote" ? "The vote" : "An item of this case";
}

const inWords = (value: unknown): string => {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value))
    return value.map((each) => (typeof each === "number" ? Math.round(each) : inWords(each))).join(", ");
  return typeof value === "string" ? `“${value}”` : String(value);
};

/** "plausibility 4, note “small”": what of `version` differs from `other`. */
export function differences(version: AnyChange | Change, other: AnyChange | Change): string {
  const fields = version.payload as Record<string, unknown>;
  const against = other.payload as Record<string, unknown>;
  const differing = Object.keys(fields).filter(
    (key) => key !== FIELDS[version.kind] && JSON.stringify(fields[key]) !== JSON.stringify(against[key]),
  );
  return (
    differing.map((key) => `${key.replaceAll("_", " ")} ${inWords(fields[key])}`).join(", ") || "the same"
  );
}

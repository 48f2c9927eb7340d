/** What a change is of: two changes of one item contradict each other, unless the second has seen the first. */
import type { Change, Reading, Stored } from "../api/reading";
import { findingTitle, knownFindingName, ofOutput } from "./missed";
import { labelOf } from "./region-items";

/** What names the item of a change, as on the server; kinds that are not here add up, or the last one is right. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  rate_step: ["step"],
  annotate_region: ["region"],
  rate_answer: ["completion"],
  cast_vote: ["kind"],
  draw_region: ["uid"],
  add_finding: ["uid"],
  rate_criterion: ["criterion", "completion", "step", "region"],
  say_first_read: ["is_after_reveal"],
};

type AnyChange = Pick<Stored, "kind"> & { readonly payload: unknown };

const nameOf = (kind: string, item: string): string => `${kind} ${item}`;

const fieldsOf = ({ payload }: AnyChange | Change): Record<string, unknown> =>
  payload as Record<string, unknown>;

/** null where changes of this kind contradict nothing. */
export function itemOf(change: AnyChange | Change): string | null {
  const names = FIELDS[change.kind];
  if (names === undefined) return null;
  const fields = fieldsOf(change);
  if (change.kind === "say_first_read") {
    return nameOf(change.kind, fields.is_after_reveal ? "after_reveal" : "first");
  }
  const said = names.map((name) => fields[name]).filter((value) => value !== null && value !== undefined);
  return nameOf(change.kind, said.join(":"));
}

/** The id of each item's last change that this page knows of. */
export function seenIn(reading: Pick<Reading, "latest_changes">): Map<string, string> {
  return new Map(reading.latest_changes.map(({ kind, item, change_id }) => [nameOf(kind, item), change_id]));
}

/** "Step 2 of output A": what the reader calls the item. */
export function itemName(reading: Reading, change: AnyChange | Change): string {
  const fields = fieldsOf(change);
  const named = partName(reading, fields.step ?? fields.region ?? fields.completion);
  switch (change.kind) {
    case "cast_vote":
      return `The vote “${reading.criteria.find(({ field }) => field === fields.kind)?.name ?? "Better overall"}”`;
    case "draw_region":
      return fields.missed_finding
        ? `Your region of ${knownFindingName(reading, String(fields.missed_finding))}`
        : "A region that you drew";
    case "add_finding":
      return findingTitle(reading, String(fields.uid), String(fields.completion));
    case "say_first_read":
      return fields.is_after_reveal ? "What you think after the reveal" : "Your first read";
    case "rate_criterion": {
      const name = reading.criteria.find(({ uid }) => uid === fields.criterion)?.name ?? "A question";
      return named ? `${name}: ${named}` : name;
    }
    default:
      return named ?? "An item of this case";
  }
}

function partName(reading: Reading, uid: unknown): string | null {
  for (const completion of reading.completions) {
    const of = ofOutput(reading, completion.uid);
    if (completion.uid === uid) return `The answer${of}`;
    for (const step of completion.steps) {
      if (step.uid === uid) return `Step ${step.position}${of}`;
      const region = step.regions.find((each) => each.uid === uid);
      if (region) return `Region ${labelOf(step, region)}${of}`;
    }
  }
  return null;
}

const inWords = (value: unknown): string => {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value))
    return value.map((each) => (typeof each === "number" ? Math.round(each) : inWords(each))).join(", ");
  if (typeof value === "object") return Object.values(value).map(inWords).join(" ");
  return typeof value === "string" ? `“${value}”` : String(value);
};

/** "plausibility 4, note “small”": what of `version` differs from `other`. */
export function differences(version: AnyChange | Change, other: AnyChange | Change): string {
  const fields = fieldsOf(version);
  const against = fieldsOf(other);
  const differing = Object.keys(fields).filter(
    (key) =>
      !FIELDS[version.kind]?.includes(key) && JSON.stringify(fields[key]) !== JSON.stringify(against[key]),
  );
  return (
    differing.map((key) => `${key.replaceAll("_", " ")} ${inWords(fields[key])}`).join(", ") || "the same"
  );
}

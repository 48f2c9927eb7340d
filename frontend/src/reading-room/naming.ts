/** What a change is called when it is undone or done again: the item, and which of its answers. */
import type { Change, Reading, Step } from "../api/reading";
import { answerRating, stepRating } from "./changes";
import { findingName, knownFindingName, ofOutput } from "./missed";
import { labelOf } from "./region-items";
import { ownerOf } from "./regions";

/** "the plausibility of step 2 of output A"; completes the sentence "Undone: …". */
export function nameOf(reading: Reading, change: Change): string {
  switch (change.kind) {
    case "rate_step": {
      const { payload } = change;
      const answers: Record<string, string> = {
        plausibility: "plausibility",
        cannot_judge: "plausibility",
        note: "note",
        edited_text: "wording",
      };
      const differing = firstDifference(payload, stepRating(reading, payload.step));
      return `${answers[differing] ?? "rating"} of ${stepName(reading, payload.step)}`;
    }
    case "annotate_region":
      return regionName(reading, change.payload.region);
    case "rate_answer": {
      const { payload } = change;
      const differing = firstDifference(payload, answerRating(reading, payload.completion));
      return `${differing || "rating"} of the answer${ofOutput(reading, payload.completion)}`;
    }
    case "cast_vote": {
      const { kind } = change.payload;
      return `vote “${reading.criteria.find(({ field }) => field === kind)?.name.toLowerCase() ?? kind}”`;
    }
    case "draw_region":
      return ownRegionName(reading, change.payload);
    case "add_finding":
      return findingName(reading, change.payload.uid, change.payload.completion);
    case "rate_criterion":
      return reading.criteria.find(({ uid }) => uid === change.payload.criterion)?.name ?? "answer";
    case "say_first_read":
      return change.payload.is_after_reveal ? "change of mind" : "first read";
    case "set_window":
      return "window";
    case "measure_lines":
      return "measured lines";
    case "add_active_time":
      return "time";
  }
}

function firstDifference(now: object, before: object): string {
  const was = new Map(Object.entries(before));
  return Object.entries(now).find(([key, value]) => was.get(key) !== value)?.[0] ?? "";
}

function stepName(reading: Reading, uid: string): string {
  const found = findStep(reading, (step) => step.uid === uid);
  return found ? `step ${found.step.position}${ofOutput(reading, found.completion)}` : "a step";
}

function regionName(reading: Reading, uid: string): string {
  const found = findStep(reading, (step) => step.regions.some((region) => region.uid === uid));
  const region = found?.step.regions.find((each) => each.uid === uid);
  if (!found || !region) return "a region";
  return `region ${labelOf(found.step, region)}${ofOutput(reading, found.completion)}`;
}

function ownRegionName(reading: Reading, drawn: Parameters<typeof ownerOf>[0]): string {
  const owner = ownerOf(drawn);
  if (owner?.kind === "step") return `your region for ${stepName(reading, owner.uid)}`;
  if (owner?.kind === "finding") return `your region of ${knownFindingName(reading, owner.uid)}`;
  return "your region of the first read";
}

function findStep(reading: Reading, isIt: (step: Step) => boolean) {
  for (const completion of reading.completions) {
    const step = completion.steps.find(isIt);
    if (step) return { step, completion: completion.uid };
  }
  return null;
}

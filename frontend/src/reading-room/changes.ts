/** What a change makes of a reading, before the server has said so, and the change that takes it back. */
import type {
  AnswerRating,
  Change,
  Criterion,
  CriterionRating,
  Reading,
  RegionAnnotation,
  StepRating,
  Verdict,
  VoteKind,
  VoteSide,
} from "../api/reading";
import type { Box } from "../viewer/geometry";
import { drawnBefore, findingBefore, withFindingAdded, withRegionDrawn } from "./regions";

/** The server takes no answer to a question that the reader study does not ask, so none goes along with another. */
function isAskedFor(reading: Reading, field: string): boolean {
  return reading.criteria.some((criterion) => criterion.field === field);
}

export function stepRating(reading: Reading, step: string): StepRating {
  const found = reading.step_ratings.find((rating) => rating.step === step);
  if (found === undefined) {
    return { step, plausibility: null, cannot_judge: false, note: "", edited_text: "" };
  }
  return isAskedFor(reading, "plausibility") ? found : { ...found, plausibility: null, cannot_judge: false };
}

export function annotation(reading: Reading, region: string): RegionAnnotation | null {
  return reading.region_annotations.find((made) => made.region === region) ?? null;
}

export function answerRating(reading: Reading, completion: string): AnswerRating {
  const found = reading.answer_ratings.find((rating) => rating.completion === completion);
  const points = (field: Criterion): number | null =>
    isAskedFor(reading, field) ? (found?.[field] ?? null) : null;
  return {
    completion,
    relevance: points("relevance"),
    correctness: points("correctness"),
    completeness: points("completeness"),
    harm: isAskedFor(reading, "harm") ? (found?.harm ?? "") : "",
    rewrite: found?.rewrite ?? "",
  };
}

/** The box that the reader drew; null where the model's own stands. */
export function adjustedBox(made: RegionAnnotation | null): Box | null {
  if (made === null || made.x_min === null || made.y_min === null) return null;
  if (made.x_max === null || made.y_max === null) return null;
  return { x_min: made.x_min, y_min: made.y_min, x_max: made.x_max, y_max: made.y_max };
}

export function ratePlausibility(reading: Reading, step: string, plausibility: number): Change {
  return {
    kind: "rate_step",
    payload: { ...stepRating(reading, step), plausibility, cannot_judge: false },
  };
}

export function cannotJudge(reading: Reading, step: string): Change {
  return {
    kind: "rate_step",
    payload: { ...stepRating(reading, step), plausibility: null, cannot_judge: true },
  };
}

export function writeNote(reading: Reading, step: string, note: string): Change {
  return { kind: "rate_step", payload: { ...stepRating(reading, step), note } };
}

export function annotate(region: string, verdict: Verdict | null, box: Box | null = null): Change {
  return {
    kind: "annotate_region",
    payload: { region, verdict, box: box ? [box.x_min, box.y_min, box.x_max, box.y_max] : null },
  };
}

export function rateAnswer(
  reading: Reading,
  completion: string,
  criterion: Criterion,
  points: number,
): Change {
  return { kind: "rate_answer", payload: { ...answerRating(reading, completion), [criterion]: points } };
}

export function vote(reading: Reading, kind: VoteKind): VoteSide | null {
  return reading.votes.find((cast) => cast.kind === kind)?.side ?? null;
}

export function castVote(side: VoteSide | null, kind: VoteKind = "overall"): Change {
  return { kind: "cast_vote", payload: { kind, side } };
}

const replaced = <Row>(rows: readonly Row[], isOld: (row: Row) => boolean, row: Row | null): Row[] => [
  ...rows.filter((old) => !isOld(old)),
  ...(row === null ? [] : [row]),
];

const NOTHING_SAID = { choice: "", findings: [], impression: "", confidence: null };

type CriterionItem = Omit<CriterionRating, "value">;

function isOfSameItem(row: CriterionRating, item: CriterionItem): boolean {
  const isSame = row.criterion === item.criterion && row.completion === item.completion;
  return isSame && row.step === item.step && row.region === item.region;
}

export function withChange(reading: Reading, change: Change): Reading {
  switch (change.kind) {
    case "rate_step": {
      const { payload } = change;
      return {
        ...reading,
        step_ratings: replaced(reading.step_ratings, (row) => row.step === payload.step, payload),
      };
    }
    case "annotate_region": {
      const { region, verdict, box } = change.payload;
      const [x_min = null, y_min = null, x_max = null, y_max = null] = box ?? [];
      const made = verdict === null ? null : { region, verdict, x_min, y_min, x_max, y_max };
      return {
        ...reading,
        region_annotations: replaced(reading.region_annotations, (row) => row.region === region, made),
      };
    }
    case "rate_answer": {
      const { payload } = change;
      return {
        ...reading,
        answer_ratings: replaced(
          reading.answer_ratings,
          (row) => row.completion === payload.completion,
          payload,
        ),
      };
    }
    case "cast_vote": {
      const { kind, side } = change.payload;
      const cast = side === null ? null : { kind, side };
      return { ...reading, votes: replaced(reading.votes, (row) => row.kind === kind, cast) };
    }
    case "draw_region":
      return withRegionDrawn(reading, change);
    case "add_finding":
      return withFindingAdded(reading, change);
    case "rate_criterion": {
      const { value, ...item } = change.payload;
      const rating = value === null ? null : { ...item, value };
      const isOld = (row: CriterionRating) => isOfSameItem(row, item);
      return { ...reading, criterion_ratings: replaced(reading.criterion_ratings, isOld, rating) };
    }
    case "say_first_read": {
      if (reading.first_read === null) return reading;
      const { is_after_reveal, ...said } = change.payload;
      const moment = is_after_reveal ? "after_reveal" : "first";
      const before = reading.first_read[moment];
      const now = { ...said, locked_at: null, regions: before?.regions ?? [] };
      return { ...reading, first_read: { ...reading.first_read, [moment]: now } };
    }
    case "set_window":
      return { ...reading, window: { ...change.payload, look: change.payload.look ?? null } };
    case "measure_lines":
      return { ...reading, measured_lines: change.payload.lines };
    case "add_active_time":
      return { ...reading, active_seconds: reading.active_seconds + change.payload.seconds };
  }
}

/** The changes that bring back what `reading` says now; none where nothing is to be brought back. */
export function inverses(reading: Reading, change: Change): Change[] {
  switch (change.kind) {
    case "rate_step":
      return [{ kind: "rate_step", payload: stepRating(reading, change.payload.step) }];
    case "annotate_region": {
      const before = annotation(reading, change.payload.region);
      return [annotate(change.payload.region, before?.verdict ?? null, adjustedBox(before))];
    }
    case "rate_answer":
      return [{ kind: "rate_answer", payload: answerRating(reading, change.payload.completion) }];
    case "cast_vote":
      return [castVote(vote(reading, change.payload.kind), change.payload.kind)];
    case "draw_region":
      return drawnBefore(reading, change);
    case "add_finding":
      return findingBefore(reading, change);
    case "rate_criterion": {
      const before = reading.criterion_ratings.find((row) => isOfSameItem(row, change.payload));
      return [{ kind: "rate_criterion", payload: { ...change.payload, value: before?.value ?? null } }];
    }
    case "say_first_read": {
      const { is_after_reveal } = change.payload;
      const before = reading.first_read?.[is_after_reveal ? "after_reveal" : "first"];
      const { choice, findings, impression, confidence } = before ?? NOTHING_SAID;
      return [
        { kind: "say_first_read", payload: { is_after_reveal, choice, findings, impression, confidence } },
      ];
    }
    case "measure_lines":
      return [{ kind: "measure_lines", payload: { lines: reading.measured_lines } }];
    case "set_window":
    case "add_active_time":
      return [];
  }
}

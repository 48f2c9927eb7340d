/** What a change makes of a reading, before the server has said so, and the change that takes it back. */
import type {
  AnswerRating,
  Change,
  Criterion,
  Reading,
  RegionAnnotation,
  StepRating,
  Verdict,
  VoteSide,
} from "../api/reading";
import type { Box } from "../viewer/geometry";

export function stepRating(reading: Reading, step: string): StepRating {
  return (
    reading.step_ratings.find((rating) => rating.step === step) ?? {
      step,
      plausibility: null,
      cannot_judge: false,
      note: "",
    }
  );
}

export function annotation(reading: Reading, region: string): RegionAnnotation | null {
  return reading.region_annotations.find((made) => made.region === region) ?? null;
}

export function answerRating(reading: Reading, completion: string): AnswerRating {
  return (
    reading.answer_ratings.find((rating) => rating.completion === completion) ?? {
      completion,
      relevance: null,
      correctness: null,
      completeness: null,
    }
  );
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

export function castVote(side: VoteSide | null): Change {
  return { kind: "cast_vote", payload: { side } };
}

const replaced = <Row>(rows: readonly Row[], isOld: (row: Row) => boolean, row: Row | null): Row[] => [
  ...rows.filter((old) => !isOld(old)),
  ...(row === null ? [] : [row]),
];

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
    case "cast_vote":
      return { ...reading, vote: change.payload.side };
    case "set_window":
      return { ...reading, window: change.payload };
    case "add_active_time":
      return { ...reading, active_seconds: reading.active_seconds + change.payload.seconds };
  }
}

/** The change that brings back what `reading` says now; null where nothing is to be brought back. */
export function inverse(reading: Reading, change: Change): Change | null {
  switch (change.kind) {
    case "rate_step":
      return { kind: "rate_step", payload: stepRating(reading, change.payload.step) };
    case "annotate_region": {
      const before = annotation(reading, change.payload.region);
      return annotate(change.payload.region, before?.verdict ?? null, adjustedBox(before));
    }
    case "rate_answer":
      return { kind: "rate_answer", payload: answerRating(reading, change.payload.completion) };
    case "cast_vote":
      return castVote(reading.vote);
    case "set_window":
    case "add_active_time":
      return null;
  }
}

/** The reading as the server sends it, and each change to it. */
import type { Box } from "../viewer/geometry";

export type Side = "a" | "b";
export type VoteSide = "a" | "tie" | "b";
export type Verdict = "fits" | "adjusted" | "wrong";
export type Criterion = "relevance" | "correctness" | "completeness";
export const CRITERIA: readonly Criterion[] = ["relevance", "correctness", "completeness"];

export interface Region extends Box {
  readonly uid: string;
  readonly position: number;
  /** "outside_image", "no_area", "inverted", "whole_image"; else empty. */
  readonly problem: string;
}

export interface Step {
  readonly uid: string;
  readonly position: number;
  readonly text: string;
  readonly regions: readonly Region[];
}

export interface Completion {
  readonly side: Side;
  readonly uid: string;
  readonly answer: string;
  readonly text: string;
  readonly problems: readonly string[];
  readonly steps: readonly Step[];
}

export interface Instance {
  readonly uid: string;
  readonly sop_instance_uid: string;
  readonly film_url: string;
  readonly rows: number;
  readonly columns: number;
  readonly row_spacing_mm: number | null;
  readonly column_spacing_mm: number | null;
  readonly bits_stored: number;
  readonly view_position: string;
  readonly modality: string;
}

export interface StepRating {
  readonly step: string;
  readonly plausibility: number | null;
  readonly cannot_judge: boolean;
  readonly note: string;
}

export interface RegionAnnotation {
  readonly region: string;
  readonly verdict: Verdict;
  readonly x_min: number | null;
  readonly y_min: number | null;
  readonly x_max: number | null;
  readonly y_max: number | null;
}

export interface AnswerRating extends Record<Criterion, number | null> {
  readonly completion: string;
}

export interface Reading {
  readonly uid: string;
  readonly reader_study: string;
  readonly case_label: string;
  readonly position: number;
  readonly num_cases: number;
  readonly question: string;
  readonly instance: Instance;
  readonly completions: readonly Completion[];
  readonly step_ratings: readonly StepRating[];
  readonly region_annotations: readonly RegionAnnotation[];
  readonly answer_ratings: readonly AnswerRating[];
  readonly vote: VoteSide | null;
  readonly window: { readonly center: number; readonly width: number; readonly inverted: boolean } | null;
  readonly active_seconds: number;
  readonly missing: readonly string[];
  readonly signed_at: string | null;
  readonly saved_at: string | null;
  readonly next: string | null;
}

type BoxEdges = readonly [number, number, number, number];

export type Change =
  | { readonly kind: "rate_step"; readonly payload: StepRating }
  | {
      readonly kind: "annotate_region";
      readonly payload: {
        readonly region: string;
        readonly verdict: Verdict | null;
        readonly box: BoxEdges | null;
      };
    }
  | { readonly kind: "rate_answer"; readonly payload: AnswerRating }
  | { readonly kind: "cast_vote"; readonly payload: { readonly side: VoteSide | null } }
  | {
      readonly kind: "set_window";
      readonly payload: { readonly center: number; readonly width: number; readonly inverted: boolean };
    }
  | { readonly kind: "add_active_time"; readonly payload: { readonly seconds: number } };

/** A change as it is sent: its id makes a repeat harmless, and the film on screen goes with it. */
export type SentChange = Change & { readonly change_id: string; readonly sop_instance_uid: string };

export interface Saved {
  readonly change_id: string;
  readonly saved_at: string;
  readonly missing: readonly string[];
}

export interface Signed {
  readonly signed_at: string;
  readonly next: string | null;
}

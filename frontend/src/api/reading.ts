/** The reading as the server sends it, and each change to it: named parts of the generated schema. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Reading = Schemas["Reading"];
export type Completion = Schemas["ReadingCompletion"];
export type Step = Schemas["ReadingStep"];
export type Region = Schemas["ReadingRegion"];
export type StepRating = Schemas["StepRating"];
export type RegionAnnotation = Schemas["RegionAnnotation"];
export type AnswerRating = Schemas["AnswerRating"];
export type Side = Completion["side"];
export type VoteSide = Schemas["VoteSide"];
export type Verdict = RegionAnnotation["verdict"];
export type Criterion = "relevance" | "correctness" | "completeness";
export const CRITERIA: readonly Criterion[] = ["relevance", "correctness", "completeness"];

/** A change as it is sent: its id makes a repeat harmless, and the film on screen goes with it. */
export type SentChange = Schemas["ReadingChangeRequest"];
type WithoutSending<Sent> = Sent extends SentChange ? Omit<Sent, "change_id" | "sop_instance_uid"> : never;
export type Change = WithoutSending<SentChange>;

export type Saved = Schemas["ChangeAnswer"];
export type Signed = Schemas["SignAnswer"];

/** The reading as the server sends it, and each change to it: named parts of the generated schema. */
import { type Answer, NOT_OURS, postJson } from "./client";
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
export type Vote = Schemas["Vote"];
export type VoteKind = Schemas["VoteKind"];
export type VoteSide = Schemas["VoteSide"];
export type Harm = AnswerRating["harm"];
export type Stage = Reading["stage"];
export type FirstReadForm = Schemas["FirstReadForm"];
export type Finding = Schemas["Finding"];
export type FirstRead = Schemas["FirstReadView"];
export type MissedFinding = Schemas["MissedFinding"];
export type DrawnRegion = Schemas["DrawnRegion"];
/** A question of the reader study; `field` names the place of a built-in one. */
export type AskedCriterion = Schemas["Criterion"];
export type CriterionRating = Schemas["CriterionRating"];
export type CriterionValue = CriterionRating["value"];
export type CompanionFilm = Schemas["CompanionFilm"];
export type Adjudication = Schemas["Adjudication"];
export type Disputed = Schemas["Disputed"];
export type Feedback = Schemas["Feedback"];
export type Verdict = RegionAnnotation["verdict"];
export type Criterion = "relevance" | "correctness" | "completeness";
export const CRITERIA: readonly Criterion[] = ["relevance", "correctness", "completeness"];

/** A change as it is sent: its id makes a repeat harmless, and the film on screen goes with it. */
export type SentChange = Schemas["ReadingChangeRequest"];
type WithoutSending<Sent> = Sent extends SentChange
  ? Omit<Sent, "change_id" | "sop_instance_uid" | "seen">
  : never;
export type Change = WithoutSending<SentChange>;

export type Saved = Schemas["ChangeAnswer"];
export type Signed = Schemas["SignAnswer"];
export type Ending = NonNullable<Signed["ending"]>;
export type Stored = Schemas["StoredChange"];
export type Opened = Schemas["Opened"];
/** What the server did of a name that a reader saw on a film. */
export type Reported = Schemas["ReportAnswer"];

/** What a reader's page sends to one reading, in the order in which it happened. */
export type Sent =
  | SentChange
  | (Schemas["SignatureRequest"] & { readonly kind: "sign" })
  /** A case that was fetched ahead is on the screen now. */
  | (Schemas["OpeningRequest"] & { readonly kind: "open"; readonly change_id: string })
  /** A film shows a name. */
  | { readonly kind: "report_name"; readonly change_id: string; readonly film: string };

export type Confirmed =
  | { readonly kind: "changed"; readonly body: Saved }
  | { readonly kind: "signed"; readonly body: Signed }
  | { readonly kind: "opened" }
  | { readonly kind: "reported"; readonly body: Reported };

export function isChange(sent: Sent): sent is SentChange {
  return sent.kind !== "sign" && sent.kind !== "open" && sent.kind !== "report_name";
}

/** Done is only what the server says of this very thing: whatever else came is no answer of it. */
export async function send(reading: string, sent: Sent): Promise<Answer<Confirmed>> {
  const address = `/api/readings/${reading}`;
  if (sent.kind === "open") {
    const answer = await postJson<Opened>(`${address}/open/`, { seconds_ago: sent.seconds_ago });
    return confirmed(answer, "opened_at", () => ({ kind: "opened" }));
  }
  if (sent.kind === "sign") {
    const { kind: _, ...signature } = sent;
    const answer = await postJson<Signed>(`${address}/sign/`, signature);
    return confirmed(answer, "signed_at", (body) => ({ kind: "signed", body }));
  }
  if (sent.kind === "report_name") {
    const { kind: _, ...report } = sent;
    const answer = await postJson<Reported>(`${address}/name-on-film/`, report);
    return confirmed(answer, "reported_at", (body) => ({ kind: "reported", body }));
  }
  const answer = await postJson<Saved>(`${address}/changes/`, sent);
  if (answer.kind === "done" && answer.body.change_id !== sent.change_id) return NOT_OURS;
  return confirmed(answer, "saved_at", (body) => ({ kind: "changed", body }));
}

/** Gives an open amendment up; the answer names the signed reading, which stays as it is. */
export function discardAmendment(reading: string): Promise<Answer<Schemas["Discarded"]>> {
  return postJson<Schemas["Discarded"]>(`/api/readings/${reading}/discard/`, {});
}

/** Locks the first read; the answer is the reading with its outputs. */
export function lockFirstRead(
  reading: string,
  changeId: string,
  sopInstanceUid: string,
): Promise<Answer<Reading>> {
  const lock = { change_id: changeId, sop_instance_uid: sopInstanceUid };
  return postJson<Reading>(`/api/readings/${reading}/first-read/lock/`, lock);
}

/** `moment` is in each answer of this kind. */
function confirmed<Body extends object>(
  answer: Answer<Body>,
  moment: string & keyof Body,
  as: (body: Body) => Confirmed,
): Answer<Confirmed> {
  if (answer.kind !== "done") return answer;
  const isOurs = Object.hasOwn(Object(answer.body), moment);
  return isOurs ? { kind: "done", body: as(answer.body) } : NOT_OURS;
}

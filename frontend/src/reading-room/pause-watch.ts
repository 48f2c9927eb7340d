/** Whether the pause that is told of a case still stands: its reader study may go on while the case is open. */
import { getJson } from "../api/client";
import type { Reading } from "../api/reading";
import type { Desk } from "./desk";

/** With many changes in a row the server is asked no more often. */
const LEAST_MS = 10_000;

export class PauseWatch {
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Of a case without a pause nothing is asked. Says whether the study goes on now; without an answer it may not. */
  async hasEnded({ uid, room }: Desk): Promise<boolean> {
    const { pause, signed_at } = room.state.reading;
    if (pause === null || signed_at !== null || this.now() - this.askedAt < LEAST_MS) return false;
    this.askedAt = this.now();
    const answer = await getJson<Reading>(`/api/readings/${uid}/`);
    if (answer.kind !== "done" || answer.body.pause !== null) return false;
    room.goesOn(answer.body);
    return true;
  }
}

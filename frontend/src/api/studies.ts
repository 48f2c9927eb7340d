/** What the server says of files that were brought in. */
export interface ImportItem {
  readonly file_name: string;
  readonly outcome: "accepted" | "held" | "duplicate" | "refused";
  readonly reason: string;
  /** The uid of the study that holds the film; null where none does. */
  readonly study: string | null;
}

export interface ImportBatch {
  readonly batch: string;
  readonly items: readonly ImportItem[];
}

/** Where the page's links lead, as the server wrote them into it. */
export interface Addresses {
  readonly worklist: string;
  readonly amend: string | null;
  /** Takes the next free case, where the reader study is a pool. */
  readonly take: string | null;
}

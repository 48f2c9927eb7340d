/** Where the page's links lead, as the server wrote them into it. */
export interface Addresses {
  readonly worklist: string;
  /** The reading that the page was made for: what follows it in the room is another one. */
  readonly reading: string;
  /** The amendment of the page's own reading, where there is one. */
  readonly amendment: string | null;
  /** That one is signed. */
  readonly isAmended: boolean;
  /** Takes the next free case, where the reader study is a pool. */
  readonly take: string | null;
}

/** Whose page this is. */
export interface Account {
  readonly uid: string;
  readonly username: string;
  readonly pseudonym: string;
  /** Had signed no case when the page was opened. */
  readonly isNewHere: boolean;
}

/** A request whose answer does not come: a network that drops connections without a word ends none of them. */

/** Many times what any answer of this server takes; a whole film may take longer, but never stops for so long. */
export const SILENT_SECONDS = 30;

/** Calls a request off once nothing of its answer was heard for `SILENT_SECONDS`. */
export class Silence {
  private readonly request = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.heard();
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  /** Whether the request was called off. */
  get isTooLong(): boolean {
    return this.signal.aborted;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.request.abort(), SILENT_SECONDS * 1000);
  }

  /** All of the answer is here, or none will come. */
  end(): void {
    clearTimeout(this.timer);
  }
}

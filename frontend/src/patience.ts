/** How long to wait before the server is tried again: longer each time, up to half a minute. */

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export class Patience {
  private waitMs = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** In place of what was to be done later before. Only tries that this made get rarer. */
  later(work: () => void): void {
    this.stop();
    this.timer = setTimeout(() => {
      this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
      work();
    }, this.waitMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** The server answered. */
  renew(): void {
    this.waitMs = FIRST_WAIT_MS;
  }
}

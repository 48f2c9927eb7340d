/** The pages of this browser that send what waits of one reading do so one after the other. */

const turnOf = (reading: string): string => `outbox ${reading}`;

/** Without locks the server's own check of ids makes a repeat harmless. */
export async function inTurn(reading: string, send: () => Promise<void>): Promise<void> {
  if (typeof navigator === "undefined" || navigator.locks === undefined) return send();
  await navigator.locks.request(turnOf(reading), send);
}

/** Resolves once what is on its way has its answer, or after so long. */
export async function whenSent(reading: string, atMostMs: number): Promise<void> {
  const signal = AbortSignal.timeout(atMostMs);
  await navigator.locks?.request(turnOf(reading), { signal }, () => {}).catch(() => {});
}

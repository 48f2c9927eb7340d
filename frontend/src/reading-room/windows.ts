/** The windows in which one account has the reading room open, in this browser: the reader is at one of them. */

export interface Windows {
  /** Whether the reader can be at this one now: it is in sight and has the focus. */
  isAttended(): boolean;
  /** Tells all others that the reader is here. */
  claim(): void;
  onClaimedElsewhere(listener: () => void): void;
  close(): void;
}

export function windowsOf(account: string): Windows {
  const channel = new BroadcastChannel(`deepmedix-at-work-${account}`);
  return {
    isAttended: () => document.visibilityState === "visible" && document.hasFocus(),
    claim: () => channel.postMessage("here"),
    onClaimedElsewhere(listener) {
      channel.onmessage = listener;
    },
    close: () => channel.close(),
  };
}

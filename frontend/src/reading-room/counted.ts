/** How many changes, in words. */

export const changes = (number: number): string => (number === 1 ? "1 change" : `${number} changes`);
export const wait = (number: number): string => `${changes(number)} ${number === 1 ? "waits" : "wait"}`;

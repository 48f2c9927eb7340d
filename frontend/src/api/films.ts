/** Films as the browser keeps them: whether one may still be seen, and how a copy is dropped. */

const pictureOf = (film: string): string => `/api/instances/${film}/picture/`;
const fileOf = (film: string): string => `/api/instances/${film}/film/`;

/** False where the server refuses it now; without an answer nothing is known, and it may. */
export async function mayBeSeen(film: string): Promise<boolean> {
  try {
    const response = await fetch(pictureOf(film), { method: "HEAD", cache: "no-store" });
    // Read to its end, empty as it is: a browser breaks off what nobody reads, and calls it failed.
    await response.arrayBuffer();
    const { status } = response;
    return status !== 401 && status !== 403 && status !== 404;
  } catch {
    return true;
  }
}

/** Asked anew, past the browser's own copies, the server refuses: and the copies give way to the refusal. */
export async function dropCopies(films: readonly string[]): Promise<void> {
  const addresses = films.flatMap((film) => [fileOf(film), pictureOf(film)]);
  await Promise.allSettled(addresses.map((address) => fetch(address, { cache: "reload" })));
}

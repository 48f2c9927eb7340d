import { expect, test } from "vitest";
import { isArchive } from "../src/upload/archives";

test("an archive is known by its first bytes, whatever its name", async () => {
  const tar = `${"\0".repeat(257)}ustar`;
  const bytes = (text: string): Blob => new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))]);
  for (const start of ["PK\x03\x04", "PK\x05\x06", "\x1f\x8b\x08", "BZh9", "\xfd7zXZ\0", tar]) {
    expect(await isArchive(bytes(start)), start).toBe(true);
  }
  for (const start of ["", "PK", "\x89PNG", `${"\0".repeat(128)}DICM`, `${"\0".repeat(256)}ustar`]) {
    expect(await isArchive(bytes(start)), start).toBe(false);
  }
});

test("what can't be read is no archive", async () => {
  const gone = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  expect(await isArchive(gone as unknown as Blob)).toBe(false);
});

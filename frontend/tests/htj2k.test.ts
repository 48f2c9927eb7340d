import { beforeAll, describe, expect, it } from "vitest";
import { type Codec, decodeFrame, loadCodec } from "../src/viewer/htj2k";

const WASM = new URL("../node_modules/@cornerstonejs/codec-openjph/dist/openjphjs.wasm", import.meta.url);

interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}

/** `values` compressed as the server stores a film. */
function encoded(codec: Codec, values: Uint8Array | Uint16Array, width: number): Uint8Array {
  const { HTJ2KEncoder } = codec as unknown as { HTJ2KEncoder: new () => Encoder };
  const encoder = new HTJ2KEncoder();
  const bitsPerSample = values.BYTES_PER_ELEMENT * 8;
  const frame = { width, height: values.length / width, bitsPerSample, componentCount: 1, isSigned: false };
  encoder
    .getDecodedBuffer({ ...frame, isUsingColorTransform: false })
    .set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  encoder.encode();
  const codestream = encoder.getEncodedBuffer().slice();
  encoder.delete();
  return codestream;
}

describe("a film's codestream", () => {
  let codec: Codec;
  beforeAll(async () => {
    codec = await loadCodec(WASM.pathname);
  });

  it.each([
    ["16 bits", Uint16Array.from({ length: 60 * 40 }, (_, at) => (at * 7919) % 65536)],
    ["8 bits", Uint8Array.from({ length: 60 * 40 }, (_, at) => (at * 31) % 256)],
  ])("becomes the values that were stored in %s", (_, values) => {
    const frame = decodeFrame(codec, encoded(codec, values, 60));
    expect([frame.width, frame.height]).toEqual([60, 40]);
    expect(frame.values).toEqual(values);
  });

  it("is refused where it is damaged", () => {
    expect(() => decodeFrame(codec, new Uint8Array(1000))).toThrow();
  });

  // Megapixel films by the dozen, on a machine that may do other work beside it.
  it("leaves nothing behind in the codec's memory", { timeout: 30_000 }, () => {
    const side = 1024;
    const values = Uint16Array.from({ length: side * side }, (_, at) => (at * 7919) % 4096);
    const codestream = encoded(codec, values, side);
    decodeFrame(codec, codestream);
    const before = codec.HEAPU8.length;
    // Kept, these films would take more than twice the memory that the codec begins with.
    const numFilms = Math.ceil((2 * before) / values.byteLength);
    for (let film = 0; film < numFilms; film++) decodeFrame(codec, codestream);
    expect(codec.HEAPU8.length).toBe(before);
  });
});

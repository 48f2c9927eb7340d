/** High-Throughput JPEG 2000 without loss, as the server stores every film: a codestream becomes stored values. */
import openJph from "@cornerstonejs/codec-openjph/wasmjs";

export type Codec = Awaited<ReturnType<typeof openJph>>;

/** One frame's stored values in the low bits of 8 or 16, row by row. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

/** `wasm` is the address of the codec's machine code. */
export function loadCodec(wasm: string): Promise<Codec> {
  return openJph({ locateFile: () => wasm });
}

/** Throws where the codestream can't be decoded. */
export function decodeFrame(codec: Codec, codestream: Uint8Array): Frame {
  const decoder = new codec.HTJ2KDecoder();
  try {
    decoder.getEncodedBuffer(codestream.length).set(codestream);
    decoder.decode();
    // It throws nothing.
    const problem = decoder.getLastErrorMessage();
    if (problem !== "") throw new Error(problem);
    const { width, height, bitsPerSample } = decoder.getFrameInfo();
    // What the decoder shows is its own memory, which is the next film's in a moment.
    const bytes = decoder.getDecodedBuffer().slice();
    return { width, height, values: bitsPerSample > 8 ? new Uint16Array(bytes.buffer) : bytes };
  } finally {
    // The codec's memory never shrinks, and nothing in it is collected by itself.
    decoder.delete();
  }
}

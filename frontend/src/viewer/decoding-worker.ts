/** Decodes films beside the page, so that keys and clicks are answered meanwhile. */
import wasm from "@cornerstonejs/codec-openjph/wasm?url";
import { decodeFrame, type Frame, loadCodec } from "./htj2k";

export interface Asked {
  readonly id: number;
  readonly codestream: Uint8Array;
}

/** `frame` is null where the codestream could not be decoded. */
export interface Answered {
  readonly id: number;
  readonly frame: Frame | null;
}

const codec = loadCodec(wasm);

self.onmessage = async ({ data }: MessageEvent<Asked>) => {
  const frame = await codec.then((loaded) => decodeFrame(loaded, data.codestream)).catch(() => null);
  const answer: Answered = { id: data.id, frame };
  self.postMessage(answer, { transfer: frame === null ? [] : [frame.values.buffer] });
};

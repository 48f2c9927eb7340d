/** Decodes a film's first frame into its stored values, beside the page. */
import type { DataSet } from "dicom-parser";
import type { Answered, Asked } from "./decoding-worker";
import { WrongImage } from "./film";
import type { Frame } from "./htj2k";
import { sizeOf } from "./part10";
import type { StoredValues } from "./values";

const DECODE_SECONDS = 60;

/** Takes the codestream's memory over. */
export async function decode(codestream: Uint8Array<ArrayBuffer>, header: DataSet): Promise<StoredValues> {
  const frame = await decoder.decode(codestream);
  if (frame === null) throw new WrongImage("The film came, but could not be decoded.");
  const { width, height } = sizeOf(header);
  const isAsSaid = frame.width === width && frame.height === height && frame.values.length === width * height;
  if (!isAsSaid) throw new WrongImage("The film came, but has another size than its header says.");
  return frame.values;
}

interface Waiting {
  readonly done: (frame: Frame | null) => void;
  readonly failed: (problem: WrongImage) => void;
}

/** One worker for all films, one after the other: its memory is that of the largest. */
class Decoder {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private numAsked = 0;

  decode(codestream: Uint8Array<ArrayBuffer>): Promise<Frame | null> {
    const id = ++this.numAsked;
    this.worker ??= this.start();
    const asked: Asked = { id, codestream };
    this.worker.postMessage(asked, [codestream.buffer]);
    const tooLate = setTimeout(
      () => this.fail(`The film came, but was not decoded within ${DECODE_SECONDS} seconds.`),
      DECODE_SECONDS * 1000,
    );
    const answer = new Promise<Frame | null>((done, failed) => this.waiting.set(id, { done, failed }));
    return answer.finally(() => clearTimeout(tooLate));
  }

  private start(): Worker {
    const worker = new Worker(new URL("./decoding-worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answered>) => {
      this.waiting.get(data.id)?.done(data.frame);
      this.waiting.delete(data.id);
    };
    worker.onerror = () => this.fail("The film came, but the part of this page that decodes it did not.");
    return worker;
  }

  /** The next film gets a worker of its own. */
  private fail(sentence: string): void {
    this.worker?.terminate();
    this.worker = null;
    for (const { failed } of this.waiting.values()) failed(new WrongImage(sentence));
    this.waiting.clear();
  }
}

const decoder = new Decoder();

/** What is used of the codec's script, which comes without types. */
declare module "@cornerstonejs/codec-openjph/wasmjs" {
  interface FrameInfo {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
  }

  interface HTJ2KDecoder {
    /** Where the codestream is to be written. */
    getEncodedBuffer(length: number): Uint8Array;
    decode(): void;
    /** Empty where nothing went wrong. */
    getLastErrorMessage(): string;
    getFrameInfo(): FrameInfo;
    getDecodedBuffer(): Uint8Array<ArrayBuffer>;
    delete(): void;
  }

  interface Codec {
    readonly HTJ2KDecoder: new () => HTJ2KDecoder;
    /** All of the codec's memory. */
    readonly HEAPU8: Uint8Array;
  }

  export default function load(around: { locateFile(file: string): string }): Promise<Codec>;
}

/** A lookup table in a film's header: of the modality transform, or one of its VOI tables. */
import type { DataSet } from "dicom-parser";

const DESCRIPTOR = "x00283002";
const EXPLANATION = "x00283003";
const DATA = "x00283006";

/** PS3.3 C.11.1.1 and C.11.2.1.1. */
export interface LookupTable {
  readonly firstMapped: number;
  readonly entries: Uint16Array;
  /** What shows as white. */
  readonly maximum: number;
}

/** Every table of the sequence `tag` that can be read. */
export function lookupTables(film: DataSet, tag: string): { table: LookupTable; explanation: string }[] {
  return (film.elements[tag]?.items ?? []).flatMap(({ dataSet }) => {
    const table = dataSet === undefined ? null : lookupTable(dataSet);
    return table === null ? [] : [{ table, explanation: dataSet?.string(EXPLANATION) ?? "" }];
  });
}

function lookupTable(item: DataSet): LookupTable | null {
  const descriptor = item.elements[DESCRIPTOR];
  const bits = item.uint16(DESCRIPTOR, 2);
  const number = item.uint16(DESCRIPTOR, 0);
  const data = item.elements[DATA];
  if (descriptor === undefined || bits === undefined || number === undefined) return null;
  if (data === undefined || data.length === 0) return null;
  const firstMapped = (descriptor.vr === "SS" ? item.int16(DESCRIPTOR, 1) : item.uint16(DESCRIPTOR, 1)) ?? 0;
  const entries = entriesOf(item, number === 0 ? 65536 : number, bits);
  // Some films' entries need more bits than their descriptor says; cut off, the brightest would all be white.
  const highest = entries.reduce((most, entry) => Math.max(most, entry), 0);
  return { firstMapped, entries, maximum: Math.max(2 ** bits, 2 ** bitLength(highest)) - 1 };
}

/** 16 bits each, little endian, or where 8 are enough packed: the length tells. */
function entriesOf(item: DataSet, number: number, bits: number): Uint16Array {
  const { length = 0, dataOffset = 0 } = item.elements[DATA] ?? {};
  const byte = (index: number): number => item.byteArray[dataOffset + index] ?? 0;
  if (bits <= 8 && length < number * 2) return Uint16Array.from({ length: number }, (_, i) => byte(i));
  return Uint16Array.from({ length: number }, (_, i) => byte(2 * i) + 256 * byte(2 * i + 1));
}

function bitLength(value: number): number {
  return value === 0 ? 0 : Math.floor(Math.log2(value)) + 1;
}

import { headerLimits } from './header-limits.ts';
import type { HeaderReader } from './header-reader.ts';
import { type StringList, stringListOf } from './string-list.ts';

/** Reads `count` strings, each with its length in front; the array part of a GGUF string array. */
export function readStrings(reader: HeaderReader, count: number, what: string): readonly string[] {
  begin(reader, count, what);
  const strings: string[] = [];
  const batch = reader.stringBatch;
  for (let index = 0; index < count; index++) {
    const byteLength = readLength(reader, what);
    batch.push(reader.offset, byteLength, strings);
    reader.offset += byteLength;
  }
  batch.flush(strings);
  return strings;
}

/** The same of many strings, which most readers want few of. */
export function readStringList(reader: HeaderReader, count: number, what: string): StringList {
  begin(reader, count, what);
  const start = reader.offset;
  const ends = new Uint32Array(count);
  let total = 0;
  for (let index = 0; index < count; index++) {
    const byteLength = readLength(reader, what);
    reader.offset += byteLength;
    ends[index] = total += byteLength;
  }
  const bytes = new Uint8Array(total);
  const lengthBytes = reader.wideLengths ? 8 : 4;
  let [from, to] = [start, 0];
  for (const end of ends) {
    from += lengthBytes;
    while (to < end) bytes[to++] = reader.bytes[from++] as number;
  }
  return stringListOf(bytes, ends);
}

function begin(reader: HeaderReader, count: number, what: string): void {
  reader.countStrings(count);
  // Every string has at least its length, so a count that cannot be true fails before anything is allocated.
  reader.need(count * (reader.wideLengths ? 8 : 4), what);
}

function readLength(reader: HeaderReader, what: string): number {
  const byteLength = reader.length(what, headerLimits.stringBytes, 'bytes');
  reader.need(byteLength, what);
  return byteLength;
}

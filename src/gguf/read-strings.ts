import { headerLimits } from './header-limits.ts';
import type { HeaderReader } from './header-reader.ts';

/** Reads `count` strings, each with its length in front; the array part of a GGUF string array. */
export function readStrings(reader: HeaderReader, count: number, what: string): readonly string[] {
  reader.countStrings(count);
  // Every string has at least its length, so a count that cannot be true fails before anything is allocated.
  reader.need(count * (reader.wideLengths ? 8 : 4), what);
  const strings: string[] = [];
  const batch = reader.stringBatch;
  for (let index = 0; index < count; index++) {
    const byteLength = reader.length(what, headerLimits.stringBytes, 'bytes');
    reader.need(byteLength, what);
    batch.push(reader.offset, byteLength, strings);
    reader.offset += byteLength;
  }
  batch.flush(strings);
  return strings;
}

import type { CodePointRanges } from './grammar.ts';

/** One byte after the other, each out of an inclusive range. */
export type ByteRangeSequence = readonly (readonly [low: number, high: number])[];

/** Where the length of the UTF-8 form changes; surrogates have none. */
const lengthRanges: CodePointRanges = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10ffff],
];

/** The UTF-8 forms of a range of code points as few sequences of byte ranges. */
export function utf8Sequences(first: number, last: number): ByteRangeSequence[] {
  return lengthRanges.flatMap(([low, high]) => {
    const start = Math.max(first, low);
    const end = Math.min(last, high);
    return start > end ? [] : split(start, end);
  });
}

/** Both ends have UTF-8 forms of one length. */
function split(first: number, last: number): ByteRangeSequence[] {
  const length = byteLength(first);
  for (let tail = 1; tail < length; tail += 1) {
    const mask = (1 << (6 * tail)) - 1;
    if ((first & ~mask) === (last & ~mask)) continue;
    if ((first & mask) !== 0) return [...split(first, first | mask), ...split((first | mask) + 1, last)];
    if ((last & mask) !== mask) return [...split(first, (last & ~mask) - 1), ...split(last & ~mask, last)];
  }
  const low = encode(first, length);
  const high = encode(last, length);
  return [low.map((byte, index) => [byte, high[index]!] as const)];
}

function byteLength(codePoint: number): number {
  if (codePoint <= 0x7f) return 1;
  if (codePoint <= 0x7ff) return 2;
  return codePoint <= 0xffff ? 3 : 4;
}

function encode(codePoint: number, length: number): number[] {
  if (length === 1) return [codePoint];
  const bytes: number[] = [];
  let rest = codePoint;
  for (let index = 1; index < length; index += 1) {
    bytes.unshift(0x80 | (rest & 0x3f));
    rest >>= 6;
  }
  bytes.unshift(((0xf00 >> length) & 0xff) | rest);
  return bytes;
}

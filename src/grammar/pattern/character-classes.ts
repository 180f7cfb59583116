import { invertRanges, lastCodePoint } from '../grammar.ts';
import type { CodePointRanges } from '../grammar.ts';

const digits: CodePointRanges = [[0x30, 0x39]];
const words: CodePointRanges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMA-262 WhiteSpace and LineTerminator. */
const spaces: CodePointRanges = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** Characters of `\d`, `\w`, `\s` and their opposites. */
export function classEscape(letter: string): CodePointRanges | undefined {
  switch (letter) {
    case 'd':
      return digits;
    case 'D':
      return invertRanges(digits);
    case 'w':
      return words;
    case 'W':
      return invertRanges(words);
    case 's':
      return spaces;
    case 'S':
      return invertRanges(spaces);
    default:
      return undefined;
  }
}

export const controlEscapes: Readonly<Record<string, number | undefined>> = {
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  f: 0x0c,
  v: 0x0b,
  '0': 0,
};

const known = new Map<string, CodePointRanges>();

/** Characters of a Unicode property such as `L` or `Script=Greek`; undefined for an unknown one. */
export function propertyRanges(name: string): CodePointRanges | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  let test: RegExp;
  try {
    test = new RegExp(`^\\p{${name}}$`, 'u');
  } catch {
    return undefined;
  }
  const ranges: [number, number][] = [];
  for (let codePoint = 0; codePoint <= lastCodePoint; codePoint += 1) {
    if (codePoint === 0xd800) codePoint = 0xe000;
    if (!test.test(String.fromCodePoint(codePoint))) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === codePoint - 1) last[1] = codePoint;
    else ranges.push([codePoint, codePoint]);
  }
  known.set(name, ranges);
  return ranges;
}

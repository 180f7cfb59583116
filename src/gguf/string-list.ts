import { decodeLenient, decodeStrict } from './decode-utf8.ts';

const utf8: TextEncoder = new TextEncoder();

/** Texts that are decoded together, because a call of the decoder costs more than decoding a few; in bytes. */
const batchBytes = 2 ** 14;

/**
 * Many texts in one piece of memory, as UTF-8: a vocabulary's take a third of what as many strings do, and no time for
 * those that nobody asks for.
 */
export class StringList implements Iterable<string> {
  /** The texts one after another, valid UTF-8 each. */
  readonly bytes: Uint8Array;
  /** (length) where each text ends in {@link bytes}. */
  readonly ends: Uint32Array;
  /** Lengths of the longest text and of the shortest; 0 and infinity where there is none. */
  readonly longestBytes: number;
  readonly shortestBytes: number;

  /** @param bytes valid UTF-8 from each of `ends` to the next */
  constructor(bytes: Uint8Array, ends: Uint32Array) {
    this.bytes = bytes;
    this.ends = ends;
    let [longest, shortest, before] = [0, Number.POSITIVE_INFINITY, 0];
    for (const end of ends) {
      const length = end - before;
      if (length > longest) longest = length;
      if (length < shortest) shortest = length;
      before = end;
    }
    this.longestBytes = longest;
    this.shortestBytes = shortest;
  }

  /** @param texts well-formed: a half of a surrogate pair would become U+FFFD */
  static from(texts: readonly string[]): StringList {
    const pieces = texts.map((text) => utf8.encode(text));
    const ends = new Uint32Array(texts.length);
    let end = 0;
    pieces.forEach((piece, index) => (ends[index] = end += piece.length));
    const bytes = new Uint8Array(end);
    pieces.forEach((piece, index) => bytes.set(piece, (ends[index] as number) - piece.length));
    return new StringList(bytes, ends);
  }

  get length(): number {
    return this.ends.length;
  }

  /** Where a text begins in {@link bytes}. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }

  /** @throws {RangeError} for an index outside the list */
  at(index: number): string {
    const end = this.ends[index];
    if (end === undefined) throw new RangeError(`Expected an index below ${this.length}, found ${index}.`);
    const start = this.startOf(index);
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at] as number;
      // Most texts are short and of characters up to three bytes, for which a call of the decoder takes longer.
      if (byte < 0x80) text += String.fromCharCode(byte);
      else if (byte < 0xe0) text += String.fromCharCode(((byte & 0x1f) << 6) | this.#low(++at));
      else if (byte < 0xf0)
        text += String.fromCharCode(((byte & 0xf) << 12) | (this.#low(++at) << 6) | this.#low(++at));
      else return decodeLenient(this.bytes.subarray(start, end));
    }
    return text;
  }

  #low(at: number): number {
    return (this.bytes[at] as number) & 0x3f;
  }

  *[Symbol.iterator](): Generator<string, undefined> {
    let first = 0;
    while (first < this.length) {
      const start = this.startOf(first);
      let last = first + 1;
      while (last < this.length && (this.ends[last] as number) <= start + batchBytes) last++;
      const joined = decodeLenient(this.bytes.subarray(start, this.ends[last - 1]));
      let from = 0;
      for (let index = first; index < last; index++) {
        const to = from + this.#units(index);
        yield joined.slice(from, to);
        from = to;
      }
      first = last;
    }
  }

  /** Length of a text in UTF-16 units: one per leading byte, two for characters of four bytes. */
  #units(index: number): number {
    const end = this.ends[index] as number;
    let units = 0;
    for (let at = this.startOf(index); at < end; at++) {
      const byte = this.bytes[at] as number;
      if (byte < 0x80) units += 1;
      else if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
    return units;
  }
}

/** A list of texts whose bytes may be anything: what is not UTF-8 becomes U+FFFD. */
export function stringListOf(bytes: Uint8Array, ends: Uint32Array): StringList {
  const list = new StringList(bytes, ends);
  if (isValid(list)) return list;
  return StringList.from(
    Array.from(ends, (end, index) => decodeLenient(bytes.subarray(list.startOf(index), end))),
  );
}

function isValid(list: StringList): boolean {
  const { bytes, ends } = list;
  let start = 0;
  for (let index = 0; index < ends.length; index++) {
    const end = ends[index] as number;
    // One that begins inside a character could join with its predecessor to a valid one.
    if (end > list.startOf(index) && ((bytes[list.startOf(index)] as number) & 0xc0) === 0x80) return false;
    if (end < start + batchBytes && index < ends.length - 1) continue;
    if (decodeStrict(bytes.subarray(start, end)) === undefined) return false;
    start = end;
  }
  return true;
}

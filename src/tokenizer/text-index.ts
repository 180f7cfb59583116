import type { StringList } from '../gguf/string-list.ts';

const empty = -1;

/**
 * From texts to their places in a list: an open-addressing table of 8 bytes per text, where a `Map` takes 28 and half
 * as long again to fill. Of equal texts the last counts.
 */
export class TextIndex {
  readonly #texts: StringList;
  /** Half full at most; {@link empty} or a place in `#texts`. */
  readonly #places: Int32Array;
  /** The text that is looked for, as UTF-8. */
  #wanted: Uint8Array = new Uint8Array(256);

  constructor(texts: StringList) {
    this.#texts = texts;
    let capacity = 16;
    while (capacity < texts.length * 2) capacity *= 2;
    this.#places = new Int32Array(capacity).fill(empty);
    const { bytes, ends } = texts;
    let start = 0;
    for (let place = 0; place < ends.length; place++) {
      const end = ends[place] as number;
      this.#places[this.#slotOf(bytes, start, end)] = place;
      start = end;
    }
  }

  /** Where the text stands in the list, or -1. */
  placeOf(text: string): number {
    if (this.#wanted.length < text.length * 3) this.#wanted = new Uint8Array(text.length * 3);
    const length = encode(text, this.#wanted);
    return length === -1 ? empty : this.placeOfBytes(this.#wanted, 0, length);
  }

  /** The same of a text in UTF-8. */
  placeOfBytes(bytes: Uint8Array, start: number, end: number): number {
    return this.#places[this.#slotOf(bytes, start, end)] as number;
  }

  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let slot = hashBytes(bytes, start, end) & mask;
    for (;;) {
      const place = places[slot] as number;
      if (place === empty || this.#isText(place, bytes, start, end)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isText(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    const texts = this.#texts;
    const known = texts.bytes;
    let at = texts.startOf(place);
    if ((texts.ends[place] as number) - at !== end - start) return false;
    for (let index = start; index < end; index++) if (bytes[index] !== known[at++]) return false;
    return true;
  }
}

/** Differs from process to process, so that no file can be made for its texts to collide. */
const seed = Math.trunc(Math.random() * 2 ** 32);

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ (bytes[index] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ (hash >>> 13), 0x85ebca77) >>> 7;
}

/**
 * Writes a text as UTF-8 and returns the number of bytes, or -1 for one with half a surrogate pair, which no list has.
 * For words as short as these faster than a call of the encoder.
 */
function encode(text: string, output: Uint8Array): number {
  let to = 0;
  for (let index = 0; index < text.length; index++) {
    let unit = text.charCodeAt(index);
    if (unit < 0x80) {
      output[to++] = unit;
      continue;
    }
    if (unit < 0x800) {
      output[to++] = 0xc0 | (unit >> 6);
    } else {
      if (unit >= 0xd800 && unit < 0xe000) {
        unit = text.codePointAt(index++) as number;
        if (unit < 0x10000) return -1;
        output[to++] = 0xf0 | (unit >> 18);
        output[to++] = 0x80 | ((unit >> 12) & 0x3f);
      } else {
        output[to++] = 0xe0 | (unit >> 12);
      }
      output[to++] = 0x80 | ((unit >> 6) & 0x3f);
    }
    output[to++] = 0x80 | (unit & 0x3f);
  }
  return to;
}

import { decodeLenient, decodeStrict } from './decode-utf8.ts';

/** V8 keeps the joined text alive behind each slice of 13 or more characters; this bounds how much. */
const batchBytes = 2 ** 14;
const batchStrings = 2 ** 11;

/**
 * Decodes many short strings together, because a call of the decoder costs more than decoding a token.
 * Gives exactly what a decoder gives for each of them.
 */
export class StringBatch {
  readonly #bytes: Uint8Array;
  readonly #joined: Uint8Array = new Uint8Array(batchBytes);
  /** Of each string: its end in `#joined`, in bytes, and in the decoded text, in UTF-16 units. */
  readonly #byteEnds: Uint32Array = new Uint32Array(batchStrings);
  readonly #unitEnds: Uint32Array = new Uint32Array(batchStrings);
  #count = 0;
  #byteCount = 0;
  #unitCount = 0;
  // A string that begins inside a character could join with its predecessor to a valid one.
  #separable = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes the string at these bytes; appends finished ones to `output`. */
  push(offset: number, byteLength: number, output: string[]): void {
    if (this.#count === batchStrings || this.#byteCount + byteLength > batchBytes) this.flush(output);
    if (byteLength <= batchBytes) this.#add(offset, byteLength);
    else output.push(decodeLenient(this.#bytes.subarray(offset, offset + byteLength)));
  }

  #add(offset: number, byteLength: number): void {
    const bytes = this.#bytes;
    const joined = this.#joined;
    const end = offset + byteLength;
    let to = this.#byteCount;
    let units = this.#unitCount;
    if (byteLength > 0 && ((bytes[offset] as number) & 0xc0) === 0x80) this.#separable = false;
    for (let from = offset; from < end; from++) {
      const byte = bytes[from] as number;
      joined[to++] = byte;
      // UTF-16 units: one per leading byte, two for characters of four bytes.
      if (byte < 0x80) units += 1;
      else if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
    this.#byteCount = to;
    this.#unitCount = units;
    this.#byteEnds[this.#count] = to;
    this.#unitEnds[this.#count] = units;
    this.#count += 1;
  }

  /** Appends what is left to `output`. */
  flush(output: string[]): void {
    const joined = this.#joined.subarray(0, this.#byteCount);
    const text = this.#separable ? decodeStrict(joined) : undefined;
    const ends = text === undefined ? this.#byteEnds : this.#unitEnds;
    let begin = 0;
    for (let index = 0; index < this.#count; index++) {
      const end = ends[index] as number;
      output.push(text === undefined ? decodeLenient(joined.subarray(begin, end)) : text.slice(begin, end));
      begin = end;
    }
    this.#count = 0;
    this.#byteCount = 0;
    this.#unitCount = 0;
    this.#separable = true;
  }
}

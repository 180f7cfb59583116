import { RivuletError } from '../errors.ts';
import type { ErrorCode, ErrorDetails } from '../errors.ts';
import { decodeLenient } from './decode-utf8.ts';
import { headerLimits } from './header-limits.ts';
import { StringBatch } from './string-batch.ts';

/**
 * Thrown when the given bytes end inside the header although the file goes on: not a failure of the file,
 * but a request to call again with at least `neededBytes` bytes from its start.
 */
export class MoreHeaderBytesNeeded extends Error {
  override readonly name: string = 'MoreHeaderBytesNeeded';
  readonly neededBytes: number;

  constructor(neededBytes: number) {
    super(`The header needs at least ${neededBytes} bytes.`);
    this.neededBytes = neededBytes;
  }
}

export interface HeaderReaderOptions {
  /** The file, for messages. */
  readonly name: string;
  /** Length of the whole file in bytes. */
  readonly fileBytes: number;
}

/** With an upper half below this, a 64-bit number is below 2^53. */
const safeHighWord: number = 2 ** 21;

/** A cursor over the start of a GGUF file that never reads past the bytes it has. */
export class HeaderReader {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly fileBytes: number;
  offset: number = 0;
  littleEndian: boolean = true;
  /** Version 1 writes counts and lengths in 32 bits, later ones in 64. */
  wideLengths: boolean = true;
  readonly #view: DataView;
  readonly #readableBytes: number;
  #stringBatch: StringBatch | undefined;
  #strings = 0;
  #arrays = 0;

  constructor(bytes: Uint8Array, options: HeaderReaderOptions) {
    this.bytes = bytes;
    this.name = options.name;
    this.fileBytes = options.fileBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#readableBytes = Math.min(bytes.length, headerLimits.headerBytes);
  }

  /** One for the whole header, because a crafted one may have very many arrays. */
  get stringBatch(): StringBatch {
    this.#stringBatch ??= new StringBatch(this.bytes);
    return this.#stringBatch;
  }

  /** Makes sure that `count` more bytes are there. @throws {RivuletError} `GGUF_TRUNCATED`, `GGUF_LIMIT_EXCEEDED` */
  need(count: number, what: string): void {
    const end = this.offset + count;
    if (end <= this.#readableBytes) return;
    if (end > this.fileBytes) {
      throw this.error(
        'GGUF_TRUNCATED',
        `Expected ${what} of ${count} bytes at byte ${this.offset}, but the file ends at byte ${this.fileBytes}. The download was cut off or the file is damaged; download it again.`,
        { offset: this.offset, neededBytes: end, fileBytes: this.fileBytes },
      );
    }
    if (end > headerLimits.headerBytes) throw this.limit('a header', end, headerLimits.headerBytes, 'bytes');
    throw new MoreHeaderBytesNeeded(end);
  }

  uint8(what: string): number {
    this.need(1, what);
    return this.#view.getUint8(this.offset++);
  }

  int8(what: string): number {
    this.need(1, what);
    return this.#view.getInt8(this.offset++);
  }

  uint16(what: string): number {
    return this.#view.getUint16(this.#take(2, what), this.littleEndian);
  }

  int16(what: string): number {
    return this.#view.getInt16(this.#take(2, what), this.littleEndian);
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), this.littleEndian);
  }

  int32(what: string): number {
    return this.#view.getInt32(this.#take(4, what), this.littleEndian);
  }

  float32(what: string): number {
    return this.#view.getFloat32(this.#take(4, what), this.littleEndian);
  }

  float64(what: string): number {
    return this.#view.getFloat64(this.#take(8, what), this.littleEndian);
  }

  /** A 64-bit value, as number where that is exact. */
  uint64(what: string): number | bigint {
    const at = this.#take(8, what);
    const low = this.#view.getUint32(this.littleEndian ? at : at + 4, this.littleEndian);
    const high = this.#view.getUint32(this.littleEndian ? at + 4 : at, this.littleEndian);
    // Hot: one length per vocabulary entry, and a bigint would be allocated for each.
    if (high < safeHighWord) return high * 2 ** 32 + low;
    return this.#view.getBigUint64(at, this.littleEndian);
  }

  int64(what: string): number | bigint {
    const value = this.#view.getBigInt64(this.#take(8, what), this.littleEndian);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** A count or length, 32 or 64 bits by version. @throws {RivuletError} `GGUF_LIMIT_EXCEEDED` when above `limit` */
  length(what: string, limit: number, unit: string): number {
    const value = this.wideLengths ? this.uint64(what) : this.uint32(what);
    if (value > limit) throw this.limit(what, value, limit, unit);
    return Number(value);
  }

  /** One string with its length in front. Bytes that are not UTF-8 become U+FFFD. */
  string(what: string, limitBytes: number = headerLimits.stringBytes): string {
    const byteLength = this.length(what, limitBytes, 'bytes');
    this.need(byteLength, what);
    const start = this.offset;
    this.offset += byteLength;
    return decodeLenient(this.bytes.subarray(start, this.offset));
  }

  /** Books `count` strings against the limit of the whole header. */
  countStrings(count: number): void {
    this.#strings += count;
    if (this.#strings > headerLimits.strings) {
      throw this.limit('all arrays together', this.#strings, headerLimits.strings, 'strings');
    }
  }

  /** Books one array against the limit of the whole header. */
  countArray(): void {
    if (++this.#arrays > headerLimits.arrays) {
      throw this.limit('the metadata', this.#arrays, headerLimits.arrays, 'arrays');
    }
  }

  invalid(message: string, details: ErrorDetails = {}): RivuletError {
    return this.error(
      'GGUF_INVALID',
      `${message} The file is damaged or was not written by a GGUF converter; download or convert it again.`,
      details,
    );
  }

  limit(what: string, found: number | bigint, limit: number, unit: string): RivuletError {
    return this.error(
      'GGUF_LIMIT_EXCEEDED',
      `Expected ${what} of at most ${limit} ${unit}, found ${found} (before byte ${this.offset}). The file is damaged or crafted; download it again from a source you trust.`,
      { found: String(found), limit },
    );
  }

  error(code: ErrorCode, message: string, details: ErrorDetails = {}): RivuletError {
    return new RivuletError(code, `${this.name}: ${message}`, { details: { file: this.name, ...details } });
  }

  #take(count: number, what: string): number {
    this.need(count, what);
    const at = this.offset;
    this.offset += count;
    return at;
  }
}

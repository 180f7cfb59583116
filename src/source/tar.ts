import { RivuletError } from '../errors.ts';
import type { ByteSink } from './byte-sink.ts';

/** A file inside a tar archive. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: number;
}

const blockBytes = 512;

/** Paths and attributes of one file; a crafted header must not fill memory. */
const maximumHeaderBytes = 2 ** 20;

/** More than any package holds; bounds the work on an archive of empty files. */
const maximumEntries = 1_000_000;

/**
 * Walks through a tar stream (ustar with pax and GNU long names, as npm and git write them). For each
 * regular file `choose` may return a sink that takes its content.
 * @throws {RivuletError} `SOURCE_TRUNCATED`, `SOURCE_UNREADABLE`
 */
export async function readTar(
  archiveName: string,
  chunks: AsyncIterable<Uint8Array>,
  choose: (entry: TarEntry) => ByteSink | undefined,
): Promise<void> {
  const reader = new ChunkReader(archiveName, chunks);
  let longName: string | undefined;
  let longSize: number | undefined;
  for (let count = 0; count < maximumEntries; count++) {
    const header = await reader.takeOrEnd(blockBytes);
    // An archive ends with two blocks of zeros; one, or none, is met in the wild and harmless.
    if (header === undefined || header.every((byte) => byte === 0)) return;
    checkHeader(archiveName, header);
    const type = String.fromCharCode(header[156] ?? 0);
    const bytes = longSize ?? readNumber(archiveName, header.subarray(124, 136));
    if (type === 'x' || type === 'L' || type === 'g' || type === 'K') {
      if (bytes > maximumHeaderBytes) {
        throw broken(archiveName, `headers of at most ${maximumHeaderBytes} bytes`, `${bytes}`);
      }
      const content = await reader.take(bytes);
      await reader.skip(padding(bytes));
      if (type === 'L') longName = readText(content);
      if (type === 'x') {
        const records = readPax(archiveName, content);
        longName = records.get('path') ?? longName;
        const size = records.get('size');
        if (size !== undefined) longSize = checkedSize(archiveName, Number(size));
      }
      continue;
    }
    const isFile = type === '0' || type === '\0' || type === '7';
    const sink = isFile ? choose({ name: longName ?? readName(header), bytes }) : undefined;
    if (sink === undefined) await reader.skip(bytes);
    else await reader.copy(bytes, sink);
    await reader.skip(padding(bytes));
    longName = undefined;
    longSize = undefined;
  }
  throw broken(archiveName, `at most ${maximumEntries} files`, 'more');
}

/** Gives out exact lengths of a stream of chunks of any length. */
class ChunkReader {
  readonly #name: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(name: string, chunks: AsyncIterable<Uint8Array>) {
    this.#name = name;
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** `length` bytes, or undefined when the stream ends exactly here. */
  async takeOrEnd(length: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    return this.take(length);
  }

  async take(length: number): Promise<Uint8Array> {
    const result = new Uint8Array(length);
    let done = 0;
    await this.#pass(length, (part) => {
      result.set(part, done);
      done += part.length;
    });
    return result;
  }

  skip(length: number): Promise<void> {
    return this.#pass(length, () => undefined);
  }

  copy(length: number, sink: ByteSink): Promise<void> {
    return this.#pass(length, (part) => sink.write(part));
  }

  async #pass(length: number, use: (part: Uint8Array) => Promise<void> | void): Promise<void> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0 && !(await this.#more())) {
        throw new RivuletError(
          'SOURCE_TRUNCATED',
          `Expected ${left} more bytes in the tar archive "${this.#name}", but it ends. It is cut off; download it again.`,
          { details: { archive: this.#name } },
        );
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      await use(part);
    }
  }

  /** Fetches until there is a byte. */
  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      this.#rest = next.value;
    }
    return true;
  }
}

/** The checksum is the sum of the header's bytes with its own field taken as blanks (POSIX ustar). */
function checkHeader(archiveName: string, header: Uint8Array): void {
  let sum = 0;
  for (let index = 0; index < blockBytes; index++) {
    sum += index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0);
  }
  const stored = readNumber(archiveName, header.subarray(148, 156));
  if (stored !== sum) throw broken(archiveName, `the header checksum ${sum}`, `${stored}`);
}

function readName(header: Uint8Array): string {
  const name = readText(header.subarray(0, 100));
  const isUstar = readText(header.subarray(257, 262)) === 'ustar';
  const prefix = isUstar ? readText(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** Octal digits, or base 256 when the first bit is set (GNU). */
function readNumber(archiveName: string, field: Uint8Array): number {
  const first = field[0] ?? 0;
  if ((first & 0x80) !== 0) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x7f);
    return checkedSize(archiveName, value);
  }
  const text = readText(field).trim();
  if (!/^[0-7]*$/.test(text)) throw broken(archiveName, 'an octal number', `"${text}"`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** Records of the form "length key=value\n" (POSIX pax). */
function readPax(archiveName: string, content: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const decoder = new TextDecoder();
  for (let position = 0; position < content.length;) {
    const blank = content.indexOf(0x20, position);
    const length = Number(blank === -1 ? Number.NaN : decoder.decode(content.subarray(position, blank)));
    const end = position + length;
    if (!Number.isSafeInteger(length) || end <= blank + 1 || end > content.length) {
      throw broken(archiveName, 'pax records with their length', 'another form');
    }
    const record = decoder.decode(content.subarray(blank + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    position = end;
  }
  return records;
}

function checkedSize(archiveName: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw broken(archiveName, 'a size below 2 ** 53', String(value));
  }
  return value;
}

function padding(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

function broken(archiveName: string, expected: string, found: string): RivuletError {
  return new RivuletError(
    'SOURCE_UNREADABLE',
    `The tar archive "${archiveName}" cannot be read: expected ${expected}, found ${found}. It is damaged or of an unknown kind; download it again.`,
    { details: { archive: archiveName } },
  );
}

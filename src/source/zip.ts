import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { RivuletError } from '../errors.ts';
import type { ByteSink } from './byte-sink.ts';
import type { ByteSource } from './byte-source.ts';

/** A file inside a zip archive. Field meanings: PKWARE APPNOTE 6.3.10, section 4.3.12. */
export interface ZipEntry {
  readonly name: string;
  /** 0 = stored, 8 = deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Where the local header starts. */
  readonly headerOffset: number;
}

/** A wheel has hundreds of files; a crafted count must not fill memory. */
const maximumEntries = 100_000;

/** Room for that many entries with long names. */
const maximumDirectoryBytes = 64 * 2 ** 20;

/** Deflate cannot expand more than 1032 : 1; a larger promise is crafted. */
const maximumExpansion = 1032;

const endRecordBytes = 22;
const maximumCommentBytes = 0xffff;
const readBytes = 2 ** 20;

/**
 * Lists an archive by its central directory, zip64 included.
 * @throws {RivuletError} `SOURCE_TRUNCATED`, `SOURCE_UNREADABLE`
 */
export async function readZip(source: ByteSource, signal?: AbortSignal): Promise<readonly ZipEntry[]> {
  const directory = await findDirectory(source, signal);
  if (directory.entries > maximumEntries || directory.bytes > maximumDirectoryBytes) {
    throw broken(
      source,
      `at most ${maximumEntries} files in ${maximumDirectoryBytes} bytes of directory`,
      `${directory.entries} in ${directory.bytes}`,
    );
  }
  if (directory.offset + directory.bytes > source.size) {
    throw broken(
      source,
      'its directory inside the file',
      `an end at byte ${directory.offset + directory.bytes}`,
    );
  }
  const view = viewOf(await source.read(directory.offset, directory.bytes, signal));
  const entries: ZipEntry[] = [];
  let position = 0;
  for (let index = 0; index < directory.entries; index++) {
    if (position + 46 > view.byteLength || view.getUint32(position, true) !== 0x02014b50) {
      throw broken(source, `${directory.entries} directory entries`, `${index}`);
    }
    const nameLength = view.getUint16(position + 28, true);
    const extraLength = view.getUint16(position + 30, true);
    const next = position + 46 + nameLength + extraLength + view.getUint16(position + 32, true);
    if (next > view.byteLength) throw broken(source, 'whole directory entries', `entry ${index} cut off`);
    entries.push(readEntry(view, position, nameLength, extraLength));
    position = next;
  }
  return entries;
}

/**
 * Streams the content of one file into the sink and checks its length and CRC-32.
 * @throws {RivuletError} `SOURCE_TRUNCATED`, `SOURCE_UNREADABLE`, `CHECKSUM_MISMATCH`
 */
export async function extractZipEntry(
  source: ByteSource,
  entry: ZipEntry,
  sink: ByteSink,
  signal?: AbortSignal,
): Promise<void> {
  if (entry.encrypted) throw broken(source, `"${entry.name}" to be readable`, 'it encrypted');
  if (entry.method !== 0 && entry.method !== 8) {
    throw broken(source, `"${entry.name}" stored or deflated`, `compression method ${entry.method}`);
  }
  const limit = entry.method === 0 ? entry.compressedBytes : (entry.compressedBytes + 1) * maximumExpansion;
  if (entry.bytes > limit) {
    throw broken(source, `at most ${limit} bytes in "${entry.name}"`, `a promise of ${entry.bytes}`);
  }
  const start = await findContent(source, entry, signal);
  let checksum = 0;
  let bytes = 0;
  const take = async (chunk: Uint8Array): Promise<void> => {
    bytes += chunk.length;
    if (bytes > entry.bytes) throw broken(source, `${entry.bytes} bytes in "${entry.name}"`, 'more');
    checksum = crc32(chunk, checksum);
    await sink.write(chunk);
  };
  const stored = readRange(source, start, entry.compressedBytes, signal);
  if (entry.method === 0) for await (const chunk of stored) await take(chunk);
  else await inflate(source, entry, stored, take);
  if (bytes !== entry.bytes) throw broken(source, `${entry.bytes} bytes in "${entry.name}"`, `${bytes}`);
  if (checksum !== entry.crc32) {
    throw new RivuletError(
      'CHECKSUM_MISMATCH',
      `Expected "${entry.name}" in "${source.name}" to have the CRC-32 ${hex(entry.crc32)}, found ${hex(checksum)}. The archive is damaged; download it again.`,
      { details: { archive: source.name, file: entry.name } },
    );
  }
}

async function inflate(
  source: ByteSource,
  entry: ZipEntry,
  stored: AsyncIterable<Uint8Array>,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  try {
    await pipeline(
      Readable.from(stored),
      createInflateRaw({ chunkSize: readBytes }),
      async (inflated: AsyncIterable<Buffer>) => {
        for await (const chunk of inflated) await take(chunk);
      },
    );
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!code.startsWith('Z_')) throw cause;
    throw broken(source, `a deflate stream in "${entry.name}"`, code, cause);
  }
}

async function* readRange(
  source: ByteSource,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let done = 0; done < length; done += readBytes) {
    yield await source.read(offset + done, Math.min(readBytes, length - done), signal);
  }
}

/** The local header repeats the name with extra fields of its own length; the content follows it. */
async function findContent(
  source: ByteSource,
  entry: ZipEntry,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (entry.headerOffset + 30 > source.size) {
    throw broken(source, `"${entry.name}" inside the file`, `an offset of ${entry.headerOffset}`);
  }
  const header = viewOf(await source.read(entry.headerOffset, 30, signal));
  if (header.getUint32(0, true) !== 0x04034b50) {
    throw broken(source, `a file header at byte ${entry.headerOffset}`, 'something else');
  }
  const start = entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.compressedBytes > source.size) {
    throw broken(
      source,
      `"${entry.name}" inside the file`,
      `an end at byte ${start + entry.compressedBytes}`,
    );
  }
  return start;
}

interface Directory {
  readonly entries: number;
  readonly bytes: number;
  readonly offset: number;
}

async function findDirectory(source: ByteSource, signal: AbortSignal | undefined): Promise<Directory> {
  const length = Math.min(source.size, endRecordBytes + maximumCommentBytes);
  const offset = source.size - length;
  const view = viewOf(await source.read(offset, length, signal));
  for (let position = length - endRecordBytes; position >= 0; position--) {
    if (view.getUint32(position, true) !== 0x06054b50) continue;
    if (position + endRecordBytes + view.getUint16(position + 20, true) !== length) continue;
    const directory: Directory = {
      entries: view.getUint16(position + 10, true),
      bytes: view.getUint32(position + 12, true),
      offset: view.getUint32(position + 16, true),
    };
    const needsZip64 =
      directory.entries === 0xffff || directory.bytes === 0xffffffff || directory.offset === 0xffffffff;
    if (!needsZip64) return directory;
    return (await findZip64Directory(source, offset + position, signal)) ?? directory;
  }
  throw new RivuletError(
    'SOURCE_TRUNCATED',
    `Expected the end record of a zip archive in "${source.name}" (${source.size} bytes), found none. The archive is cut off or not a zip; download it again.`,
    { details: { archive: source.name, sizeBytes: source.size } },
  );
}

async function findZip64Directory(
  source: ByteSource,
  endOffset: number,
  signal: AbortSignal | undefined,
): Promise<Directory | undefined> {
  if (endOffset < 20) return undefined;
  const locator = viewOf(await source.read(endOffset - 20, 20, signal));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const recordOffset = safeNumber(source, locator.getBigUint64(8, true));
  if (recordOffset + 56 > source.size) {
    throw broken(source, 'its zip64 record inside the file', `an offset of ${recordOffset}`);
  }
  const record = viewOf(await source.read(recordOffset, 56, signal));
  if (record.getUint32(0, true) !== 0x06064b50) throw broken(source, 'a zip64 end record', 'something else');
  return {
    entries: safeNumber(source, record.getBigUint64(32, true)),
    bytes: safeNumber(source, record.getBigUint64(40, true)),
    offset: safeNumber(source, record.getBigUint64(48, true)),
  };
}

function readEntry(view: DataView, position: number, nameLength: number, extraLength: number): ZipEntry {
  const flags = view.getUint16(position + 8, true);
  const nameBytes = new Uint8Array(view.buffer, view.byteOffset + position + 46, nameLength);
  let bytes = view.getUint32(position + 24, true);
  let compressedBytes = view.getUint32(position + 20, true);
  let headerOffset = view.getUint32(position + 42, true);
  const extraStart = position + 46 + nameLength;
  for (let at = extraStart; at + 4 <= extraStart + extraLength;) {
    const fieldEnd = at + 4 + view.getUint16(at + 2, true);
    if (fieldEnd > extraStart + extraLength) break;
    if (view.getUint16(at, true) === 0x0001) {
      // The zip64 field holds, in this order, only those values that did not fit their 32 bits.
      let from = at + 4;
      const wide = (value: number): number => {
        if (value !== 0xffffffff || from + 8 > fieldEnd) return value;
        from += 8;
        return Number(view.getBigUint64(from - 8, true));
      };
      bytes = wide(bytes);
      compressedBytes = wide(compressedBytes);
      headerOffset = wide(headerOffset);
    }
    at = fieldEnd;
  }
  return {
    name: new TextDecoder().decode(nameBytes),
    method: view.getUint16(position + 10, true),
    encrypted: (flags & 1) !== 0,
    crc32: view.getUint32(position + 16, true),
    compressedBytes,
    bytes,
    headerOffset,
  };
}

function safeNumber(source: ByteSource, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken(source, 'offsets below 2 ** 53', String(value));
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function broken(source: ByteSource, expected: string, found: string, cause?: unknown): RivuletError {
  return new RivuletError(
    'SOURCE_UNREADABLE',
    `The zip archive "${source.name}" cannot be read: expected ${expected}, found ${found}. It is damaged or of an unknown kind; download it again.`,
    { details: { archive: source.name }, cause },
  );
}

import { headerLimits } from './header-limits.ts';
import { HeaderReader } from './header-reader.ts';
import { Metadata } from './metadata.ts';
import type { StoredValue } from './metadata.ts';
import { quoted } from './quoted.ts';
import { placeTensors, readTensorInfos } from './read-tensor-infos.ts';
import { readValue } from './read-value.ts';
import type { TensorInfo } from './tensor-table.ts';

export { MoreHeaderBytesNeeded } from './header-reader.ts';

/** What stands before the tensor data of one GGUF file. */
export interface GgufHeader {
  readonly version: number;
  readonly littleEndian: boolean;
  readonly metadata: Metadata;
  /** In file order, all of shard 0, with offsets from the start of the file. */
  readonly tensors: readonly TensorInfo[];
  /** Where the data section begins, in bytes from the start of the file. */
  readonly dataOffset: number;
  /** Length of the header without the padding that follows it. */
  readonly headerBytes: number;
}

export interface ParseGgufHeaderOptions {
  /** The file, for messages. */
  readonly name: string;
  /**
   * Length of the whole file. Left out, `bytes` counts as complete and the tensors are not checked
   * against the end of the file.
   */
  readonly fileBytes?: number;
}

const supportedVersions: readonly number[] = [1, 2, 3];
/** `GGUF_DEFAULT_ALIGNMENT`. */
const defaultAlignmentBytes = 32;

/**
 * Reads the header at the start of a GGUF file. Source: the GGUF specification, `gguf_init_from_file`.
 * @throws {MoreHeaderBytesNeeded} when `bytes` end inside the header but `fileBytes` says that the file goes on
 * @throws {RivuletError} `GGUF_EMPTY`, `GGUF_BAD_MAGIC`, `GGUF_VERSION_UNSUPPORTED`, `GGUF_TRUNCATED`,
 *   `GGUF_INVALID`, `GGUF_LIMIT_EXCEEDED`, `TENSOR_TYPE_UNSUPPORTED`
 */
export function parseGgufHeader(bytes: Uint8Array, options: ParseGgufHeaderOptions): GgufHeader {
  const fileBytes = options.fileBytes ?? bytes.length;
  const reader = new HeaderReader(bytes, { name: options.name, fileBytes });
  readMagic(reader);
  const version = readVersion(reader);
  reader.wideLengths = version > 1;
  const tensorCount = reader.length('a tensor table', headerLimits.tensors, 'tensors');
  const keyCount = reader.length('the metadata', headerLimits.keys, 'keys');
  const metadata = new Metadata(readEntries(reader, keyCount));
  const alignment = readAlignment(reader, metadata);
  const relative = readTensorInfos(reader, tensorCount);
  const headerBytes = reader.offset;
  const dataOffset = Math.ceil(headerBytes / alignment) * alignment;
  const tensors = placeTensors(reader, relative, dataOffset, alignment, options.fileBytes);
  return { version, littleEndian: reader.littleEndian, metadata, tensors, dataOffset, headerBytes };
}

function readMagic(reader: HeaderReader): void {
  const { bytes, fileBytes } = reader;
  if (fileBytes === 0) {
    throw reader.error('GGUF_EMPTY', 'Expected a GGUF file, found an empty one. Download it again.');
  }
  const found = String.fromCharCode(...bytes.subarray(0, 4));
  if (found !== 'GGUF'.slice(0, found.length)) {
    throw reader.error(
      'GGUF_BAD_MAGIC',
      `Expected a GGUF file, which starts with the letters GGUF, found ${describeStart(bytes)}. Give the path of a .gguf file.`,
    );
  }
  reader.need(4, 'the magic number');
  reader.offset = 4;
}

/** Says what the file is instead, for the mistakes that people make. */
function describeStart(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  const match = knownStarts.find(([pattern]) => pattern.test(start));
  if (match !== undefined) return match[1];
  const hexadecimal = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `the bytes ${hexadecimal.join(' ')}`;
}

const knownStarts: readonly (readonly [RegExp, string])[] = [
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer (run "git lfs pull", or download the file itself)'],
  [/^\s*<(!doctype|html|\?xml)/i, 'a web page (the download was answered with an error or a log-in page)'],
  [/^(lmgg|fmgg|tjgg|algg|ggml|ggmf|ggjt|ggla)/, 'a model in a format older than GGUF (convert it)'],
  // The magic itself has control characters.
  // oxlint-disable-next-line no-control-regex
  [/^PK\u0003\u0004/, 'a ZIP archive or PyTorch file (convert it to GGUF)'],
  // Safetensors: the length of the JSON header in 8 bytes, the upper ones zero, then the header. Zeros are control
  // characters.
  // oxlint-disable-next-line no-control-regex
  [/^[^]{5}\0{3}\{"/, 'a safetensors file (convert it to GGUF)'],
];

function readVersion(reader: HeaderReader): number {
  const version = reader.uint32('the version');
  if (supportedVersions.includes(version)) return version;
  // A big-endian file differs in nothing but the byte order, so only a sensible version tells it apart.
  reader.offset -= 4;
  reader.littleEndian = false;
  const bigEndian = reader.uint32('the version');
  if (supportedVersions.includes(bigEndian)) return bigEndian;
  throw reader.error(
    'GGUF_VERSION_UNSUPPORTED',
    `Expected GGUF version ${supportedVersions.join(', ')}, found ${version}. Update rivulet, or convert the model again.`,
    { version },
  );
}

function readEntries(reader: HeaderReader, count: number): Map<string, StoredValue> {
  const entries = new Map<string, StoredValue>();
  for (let index = 0; index < count; index++) {
    const key = reader.string(`metadata key ${index}`, headerLimits.keyBytes);
    if (entries.has(key)) {
      throw reader.invalid(`Expected metadata keys to be unique, found ${quoted(key)} twice.`, { key });
    }
    entries.set(key, readValue(reader, key));
  }
  return entries;
}

function readAlignment(reader: HeaderReader, metadata: Metadata): number {
  const alignment = metadata.optionalNumber('general.alignment') ?? defaultAlignmentBytes;
  if (!Number.isInteger(Math.log2(alignment)) || alignment < 1) {
    throw reader.invalid(`Expected "general.alignment" to be a power of two, found ${alignment}.`, {
      alignment,
    });
  }
  if (alignment > headerLimits.alignmentBytes) {
    throw reader.limit('an alignment', alignment, headerLimits.alignmentBytes, 'bytes');
  }
  return alignment;
}

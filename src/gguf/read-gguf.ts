import { RivuletError } from '../errors.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { headerLimits } from './header-limits.ts';
import { joinShards } from './join-shards.ts';
import type { Metadata } from './metadata.ts';
import { MoreHeaderBytesNeeded, parseGgufHeader } from './parse-header.ts';
import type { GgufHeader } from './parse-header.ts';
import { TensorTable } from './tensor-table.ts';

/** A model of one or more GGUF files, with its tensors still in them. */
export interface GgufFile {
  readonly version: number;
  readonly littleEndian: boolean;
  /** Of the first file. */
  readonly metadata: Metadata;
  readonly tensors: TensorTable;
  /** The header of the first file, in a buffer of its own, so that it can be transferred. */
  readonly headerBytes: Uint8Array<ArrayBuffer>;
  /** Indexed by `TensorInfo.shard`. The first is the given one; the caller closes all. */
  readonly sources: readonly ByteSource[];
  /** Of all files together. */
  readonly fileBytes: number;
}

export interface ReadGgufOptions {
  readonly signal?: AbortSignal;
  /** Opens another part of a split model, given its file name, in the place where `source` lies. */
  readonly openSibling?: (fileName: string) => Promise<ByteSource>;
}

/** Large enough for the header of a 260 k vocabulary in one read, small enough for 10 ms. */
const firstWindowBytes: number = 16 * 2 ** 20;

/**
 * Reads metadata and tensor table of a model, and of all its parts when it is split.
 * @throws {RivuletError} what {@link parseGgufHeader} throws, `GGUF_SHARD_MISSING`, and what `source.read` throws
 */
export async function readGguf(source: ByteSource, options: ReadGgufOptions = {}): Promise<GgufFile> {
  const { header, headerBytes } = await readHeader(source, firstWindowBytes, options.signal);
  const joined = await joinShards(source, header, {
    ...options,
    readSibling: async (sibling) => (await readHeader(sibling, siblingWindowBytes, options.signal)).header,
  });
  return {
    version: header.version,
    littleEndian: header.littleEndian,
    metadata: header.metadata,
    tensors: new TensorTable(joined.tensors),
    headerBytes,
    sources: joined.sources,
    fileBytes: joined.sources.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Later parts have a tensor table only. */
const siblingWindowBytes: number = 2 ** 20;

async function readHeader(
  source: ByteSource,
  windowBytes: number,
  signal: AbortSignal | undefined,
): Promise<{ header: GgufHeader; headerBytes: Uint8Array<ArrayBuffer> }> {
  signal?.throwIfAborted();
  let bytes = await source.read(0, Math.min(windowBytes, source.size), signal);
  for (;;) {
    signal?.throwIfAborted();
    try {
      const header = parseGgufHeader(bytes, { name: source.name, fileBytes: source.size });
      // Not `slice`, which would be a view when the source returns a Buffer.
      return { header, headerBytes: new Uint8Array(bytes.subarray(0, header.headerBytes)) };
    } catch (error) {
      if (!(error instanceof MoreHeaderBytesNeeded)) throw error;
      bytes = await extended(source, bytes, error.neededBytes, signal);
    }
  }
}

async function extended(
  source: ByteSource,
  bytes: Uint8Array,
  neededBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  // At least twice as much, so that parsing again and again stays linear in the size of the header.
  const wanted = Math.min(Math.max(neededBytes, 2 * bytes.length), source.size, headerLimits.headerBytes);
  if (wanted <= bytes.length) {
    throw new RivuletError(
      'GGUF_LIMIT_EXCEEDED',
      `${source.name}: Expected a header of at most ${headerLimits.headerBytes} bytes, found one of ${neededBytes} or more. The file is damaged or crafted; download it again from a source you trust.`,
      { details: { file: source.name, limit: headerLimits.headerBytes } },
    );
  }
  const rest = await source.read(bytes.length, wanted - bytes.length, signal);
  const grown = new Uint8Array(wanted);
  grown.set(bytes);
  grown.set(rest, bytes.length);
  return grown;
}

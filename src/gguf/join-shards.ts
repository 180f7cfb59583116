import { RivuletError } from '../errors.ts';
import type { ErrorCode, ErrorDetails } from '../errors.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { headerLimits } from './header-limits.ts';
import type { GgufHeader } from './parse-header.ts';
import { quoted } from './quoted.ts';
import { parseShardName, shardFileName } from './shard-name.ts';
import type { ShardName } from './shard-name.ts';
import type { TensorInfo } from './tensor-table.ts';

export interface JoinShardsOptions {
  readonly openSibling?: (fileName: string) => Promise<ByteSource>;
  readonly readSibling: (source: ByteSource) => Promise<GgufHeader>;
}

/** The files of a model in order, and their tensors with the index of their file. */
export interface JoinedShards {
  readonly sources: readonly ByteSource[];
  readonly tensors: readonly TensorInfo[];
}

/**
 * Opens the other parts of a split model. Source: `llama_model_loader`, keys `split.no`, `split.count`,
 * `split.tensors.count`. Closes what it opened when it fails.
 * @throws {RivuletError} `GGUF_SHARD_MISSING`, `GGUF_INVALID`, `GGUF_LIMIT_EXCEEDED`
 */
export async function joinShards(
  first: ByteSource,
  header: GgufHeader,
  options: JoinShardsOptions,
): Promise<JoinedShards> {
  const count = header.metadata.optionalNumber('split.count') ?? 1;
  if (count <= 1) return { sources: [first], tensors: header.tensors };
  const name = checkFirst(first, header, count);
  const { openSibling } = options;
  if (openSibling === undefined) {
    throw failure(
      first,
      'GGUF_SHARD_MISSING',
      `Expected ${count} files, but this kind of source has no neighbours. Give the model as a local path, or merge its parts.`,
    );
  }
  const sources: ByteSource[] = [first];
  const tensors: TensorInfo[] = [...header.tensors];
  try {
    for (let index = 1; index < count; index++) {
      const source = await openPart(first, openSibling, shardFileName(name, index), count);
      sources.push(source);
      const part = await options.readSibling(source);
      checkPart(source, part, header, index, count);
      for (const tensor of part.tensors) tensors.push({ ...tensor, shard: index });
    }
    checkTogether(first, header, tensors);
    return { sources, tensors };
  } catch (error) {
    await Promise.allSettled(sources.slice(1).map((source) => source.close()));
    throw error;
  }
}

function checkFirst(first: ByteSource, header: GgufHeader, count: number): ShardName {
  if (!Number.isInteger(count) || count > headerLimits.shards) {
    throw failure(
      first,
      'GGUF_LIMIT_EXCEEDED',
      `Expected at most ${headerLimits.shards} files of one model, found "split.count" = ${count}. The file is damaged or crafted; download it again from a source you trust.`,
    );
  }
  const name = parseShardName(first.name);
  const index = header.metadata.optionalNumber('split.no') ?? 0;
  if (index !== 0) {
    const wanted = name === undefined ? 'the first file' : `"${shardFileName(name, 0)}"`;
    throw failure(
      first,
      'GGUF_SHARD_MISSING',
      `Expected the first of ${count} files, found number ${index + 1}. Open ${wanted} instead.`,
      { index, count },
    );
  }
  if (name === undefined || name.index !== 0 || name.count !== count) {
    throw failure(
      first,
      'GGUF_SHARD_MISSING',
      `Expected a name that ends in "-00001-of-${String(count).padStart(5, '0')}.gguf", because the model has ${count} files that are found by name. Rename the files as they were published.`,
      { count },
    );
  }
  return name;
}

async function openPart(
  first: ByteSource,
  openSibling: (fileName: string) => Promise<ByteSource>,
  fileName: string,
  count: number,
): Promise<ByteSource> {
  try {
    return await openSibling(fileName);
  } catch (error) {
    if (!RivuletError.isInstance(error) || error.code !== 'SOURCE_NOT_FOUND') throw error;
    throw new RivuletError(
      'GGUF_SHARD_MISSING',
      `${first.name}: Expected ${count} files side by side, but "${fileName}" is not there. Download all parts into one folder.`,
      { cause: error, details: { file: first.name, missing: fileName, count } },
    );
  }
}

function checkPart(
  source: ByteSource,
  part: GgufHeader,
  header: GgufHeader,
  index: number,
  count: number,
): void {
  const foundIndex = part.metadata.optionalNumber('split.no');
  const foundCount = part.metadata.optionalNumber('split.count');
  if (foundIndex !== index || foundCount !== count) {
    const found =
      foundIndex === undefined || foundCount === undefined
        ? 'a file that is no part of a split model'
        : `part ${foundIndex + 1} of ${foundCount}`;
    throw failure(
      source,
      'GGUF_INVALID',
      `Expected part ${index + 1} of ${count}, found ${found}. Files of different models or downloads are mixed; download them again.`,
      { index, count },
    );
  }
  if (part.littleEndian !== header.littleEndian) {
    throw failure(
      source,
      'GGUF_INVALID',
      'Expected all parts to have one byte order, found both. Download them again.',
    );
  }
}

function checkTogether(first: ByteSource, header: GgufHeader, tensors: readonly TensorInfo[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) {
      throw failure(
        first,
        'GGUF_INVALID',
        `Expected tensor names to be unique over all parts, found ${quoted(name)} twice. Download them again.`,
        { tensor: name },
      );
    }
    names.add(name);
  }
  const expected = header.metadata.optionalNumber('split.tensors.count');
  if (expected !== undefined && expected !== tensors.length) {
    throw failure(
      first,
      'GGUF_INVALID',
      `Expected ${expected} tensors in all parts together, found ${tensors.length}. Download them again.`,
      { expected, found: tensors.length },
    );
  }
}

function failure(
  source: ByteSource,
  code: ErrorCode,
  message: string,
  details: ErrorDetails = {},
): RivuletError {
  return new RivuletError(code, `${source.name}: ${message}`, { details: { file: source.name, ...details } });
}

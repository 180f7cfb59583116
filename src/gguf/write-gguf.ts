import { RivuletError } from '../errors.ts';
import type { ByteSink } from '../source/byte-sink.ts';
import { headerLimits } from './header-limits.ts';
import { HeaderWriter } from './header-writer.ts';
import { quoted } from './quoted.ts';
import { type TensorType, tensorTypeByName } from './tensor-type.ts';
import type { WritableValue } from './writable-value.ts';

/** A tensor with the way to its bytes. */
export interface WritableTensor {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order: the first dimension is contiguous. */
  readonly shape: readonly number[];
  /** The little-endian bytes in order, in pieces of any size. */
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

export interface WritableGguf {
  readonly metadata: ReadonlyMap<string, WritableValue>;
  readonly tensors: readonly WritableTensor[];
}

const version = 3;
const alignmentBytes = 32;

/**
 * Writes a GGUF file (version 3, little-endian) in one pass; of the tensors one piece at a time is in memory.
 *
 * @returns the length of the file in bytes
 * @throws {RivuletError} `INVALID_ARGUMENT` for what no reader would take; what sink and tensors throw
 */
export async function writeGguf(sink: ByteSink, file: WritableGguf): Promise<number> {
  requireReadable(file);
  const header = layOutHeader(file);
  await sink.write(header);
  let offset = header.length;
  for (const tensor of file.tensors) {
    const expected = tensorBytes(tensor);
    let written = 0;
    for await (const chunk of tensor.chunks()) {
      written += chunk.length;
      if (written > expected) break;
      await sink.write(chunk);
    }
    if (written !== expected) {
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected ${expected} bytes of the tensor ${quoted(tensor.name)}, found ${written > expected ? 'more' : written}. Its type and shape do not agree with its content.`,
        { details: { tensor: tensor.name, expected } },
      );
    }
    offset += expected;
    const padding = aligned(offset) - offset;
    if (padding > 0) await sink.write(new Uint8Array(padding));
    offset += padding;
  }
  return offset;
}

/** Bytes of a tensor in the file, without padding. */
export function tensorBytes({ type, shape }: Pick<WritableTensor, 'type' | 'shape'>): number {
  const { blockElements, blockBytes } = tensorTypeByName(type);
  return (shape.reduce((product, length) => product * length, 1) / blockElements) * blockBytes;
}

function layOutHeader({ metadata, tensors }: WritableGguf): Uint8Array {
  const writer = new HeaderWriter();
  writer.raw('GGUF');
  writer.scalar('u32', version);
  writer.scalar('u64', tensors.length);
  writer.scalar('u64', metadata.size);
  for (const [key, value] of metadata) {
    writer.string(key);
    writer.typedValue(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    writer.string(tensor.name);
    writer.scalar('u32', tensor.shape.length);
    for (const length of tensor.shape) writer.scalar('u64', length);
    writer.scalar('u32', tensorTypeByName(tensor.type).id);
    writer.scalar('u64', offset);
    offset = aligned(offset + tensorBytes(tensor));
  }
  const header = writer.bytes();
  const padded = new Uint8Array(aligned(header.length));
  padded.set(header);
  return padded;
}

function aligned(offset: number): number {
  return Math.ceil(offset / alignmentBytes) * alignmentBytes;
}

/** The conditions that readers, ours among them, hold files to. */
function requireReadable({ metadata, tensors }: WritableGguf): void {
  const names = new Set<string>();
  for (const { name, type, shape } of tensors) {
    const { blockElements } = tensorTypeByName(type);
    const whole = shape.every((length) => Number.isSafeInteger(length) && length > 0);
    const fits =
      shape.length <= headerLimits.dimensions && Number.isSafeInteger(tensorBytes({ type, shape }));
    if (!whole || !fits || (shape[0] ?? 1) % blockElements !== 0) {
      throw invalid(`a tensor ${quoted(name)} of type ${type} and shape [${shape.join(', ')}]`);
    }
    if (names.has(name)) throw invalid(`two tensors ${quoted(name)}`);
    if (byteLength(name) > headerLimits.tensorNameBytes) throw invalid(`the tensor name ${quoted(name)}`);
    names.add(name);
  }
  for (const [key, value] of metadata) {
    if (byteLength(key) > headerLimits.keyBytes) throw invalid(`the key ${quoted(key)}`);
    if (key === 'general.alignment') throw invalid('an alignment of its own');
    if (value.type === 'string' && byteLength(value.value) > headerLimits.stringBytes)
      throw invalid(`a text of ${value.value.length} characters under ${quoted(key)}`);
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function invalid(found: string): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `Expected what a GGUF file can hold (names below the limits of readers, each once; up to ${headerLimits.dimensions} dimensions, rows of whole blocks), found ${found}.`,
  );
}

import { RivuletError } from '../errors.ts';
import type { GgufFile } from '../gguf/read-gguf.ts';
import type { TensorInfo } from '../gguf/tensor-table.ts';
import { dequantize } from '../quant/dequantize.ts';
import { toLittleEndian } from '../quant/to-little-endian.ts';
import type { Vectors } from './weight-lookup.ts';

/** Norms, biases and factors together are small in every real model; a crafted file must not fill memory. */
const maximumTotalBytes = 1 << 28;

/**
 * Reads the tensors that go into the graph itself: one-dimensional ones, norm weights and experts' biases.
 * @throws {RivuletError} `GGUF_LIMIT_EXCEEDED`, `WEIGHTS_NOT_FINITE`, `SOURCE_TRUNCATED`
 */
export async function readVectors(gguf: GgufFile, signal?: AbortSignal): Promise<Vectors> {
  const wanted = Array.from(gguf.tensors).filter(isVector);
  const total = wanted.reduce((sum, tensor) => sum + tensor.elementCount * 4, 0);
  if (total > maximumTotalBytes) {
    throw new RivuletError(
      'GGUF_LIMIT_EXCEEDED',
      `Expected at most ${maximumTotalBytes} bytes of norms and biases, found ${total}. The file is damaged or crafted.`,
    );
  }
  signal?.throwIfAborted();
  const entries = wanted.map(
    async (tensor) => [tensor.name, await readVector(gguf, tensor, signal)] as const,
  );
  return new Map(await Promise.all(entries));
}

async function readVector(gguf: GgufFile, tensor: TensorInfo, signal?: AbortSignal): Promise<Float32Array> {
  const source = gguf.sources[tensor.shard];
  if (source === undefined) throw new RangeError(`no file ${tensor.shard}`);
  const bytes = await source.read(tensor.offset, tensor.byteLength, signal);
  const ordered = gguf.littleEndian ? bytes : toLittleEndian(tensor.type, bytes);
  const values = dequantize(tensor.type, ordered, tensor.elementCount);
  if (values.every(Number.isFinite)) return values;
  throw new RivuletError(
    'WEIGHTS_NOT_FINITE',
    `The tensor "${tensor.name}" holds NaN or infinite values. The file is damaged or the conversion went wrong; download it again or choose another quantization.`,
    { details: { tensor: tensor.name } },
  );
}

/** Matrices among them are rows that the graph adds as they are. */
const endings = ['norm.weight', '.bias', 'token_types.weight', 'attn_rel_b.weight'];

function isVector({ name, shape }: TensorInfo): boolean {
  return shape.slice(1).every((size) => size === 1) || endings.some((ending) => name.endsWith(ending));
}

import type { TensorType } from '../gguf/tensor-type.ts';
import { tensorTypeByName } from '../gguf/tensor-type.ts';
import type { BlockFormat } from './block-format.ts';
import { blockFormats, checkBlockBytes, unsupportedTensorType } from './block-formats.ts';
import { plainReaders } from './dequantize-plain.ts';

/** Elements per round: codes and scales of a round stay in the first-level cache. */
const roundElements = 4096;

/**
 * The values of `elementCount` elements, (elementCount) f32, bit for bit those of ggml's `to_float`.
 * `bytes` are the little-endian tensor data of exactly these elements.
 * @throws {RivuletError} `TENSOR_TYPE_UNSUPPORTED`, `INVALID_ARGUMENT`
 */
export function dequantize(type: TensorType, bytes: Uint8Array, elementCount: number): Float32Array {
  const readPlain = plainReaders.get(type);
  const format = blockFormats.get(type);
  if (readPlain === undefined && format === undefined) throw unsupportedTensorType(type);
  checkBlockBytes(type, bytes, elementCount, tensorTypeByName(type));
  const output = new Float32Array(elementCount);
  readPlain?.(bytes, output);
  if (format !== undefined) dequantizeBlocks(format, bytes, output);
  return output;
}

/** Whether {@link dequantize} knows the type. */
export function canDequantize(type: TensorType): boolean {
  return plainReaders.has(type) || blockFormats.has(type);
}

function dequantizeBlocks(format: BlockFormat, bytes: Uint8Array, output: Float32Array): void {
  const { blockBytes, blockElements, groupElements, hasMinimum, zero } = format;
  const totalBlocks = output.length / blockElements;
  const roundBlocks = roundElements / blockElements;
  const codes = new Uint8Array(roundElements);
  const scales = new Float32Array(roundElements / groupElements);
  const minimums = new Float32Array(scales.length);
  // Codes are written above 128 so that negative ones keep their order in unsigned bytes.
  const shift = 128 - zero;
  for (let first = 0; first < totalBlocks; first += roundBlocks) {
    const blocks = Math.min(roundBlocks, totalBlocks - first);
    const part = bytes.subarray(first * blockBytes, (first + blocks) * blockBytes);
    format.readCodes(part, blocks, shift, codes);
    format.readScales(part, blocks, scales, minimums);
    const to = first * blockElements;
    const groups = (blocks * blockElements) / groupElements;
    for (let group = 0; group < groups; group++) {
      const scale = scales[group] as number;
      const minimum = minimums[group] as number;
      const begin = group * groupElements;
      for (let i = begin; i < begin + groupElements; i++) {
        // Products of scale and code have at most 24 significant bits, so only the difference is rounded.
        const value = scale * ((codes[i] as number) - 128);
        output[to + i] = hasMinimum ? value - minimum : value;
      }
    }
  }
}

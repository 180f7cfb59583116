import type { TensorType } from '../gguf/tensor-type.ts';
import { tensorTypeByName } from '../gguf/tensor-type.ts';
import { checkBlockBytes, unsupportedTensorType } from './block-formats.ts';

/** A run of numbers of `width` bytes within a block. */
type Field = readonly [at: number, width: 2 | 4 | 8, count?: number];

/** The fields of more than one byte of each block; the rest are single bytes. Source: ggml-common.h. */
const wideFields: ReadonlyMap<TensorType, readonly Field[]> = new Map<TensorType, readonly Field[]>([
  ['F32', [[0, 4]]],
  ['F16', [[0, 2]]],
  ['BF16', [[0, 2]]],
  ['F64', [[0, 8]]],
  ['I8', []],
  ['I16', [[0, 2]]],
  ['I32', [[0, 4]]],
  ['I64', [[0, 8]]],
  ['Q4_0', [[0, 2]]],
  ['Q4_1', [[0, 2, 2]]],
  [
    'Q5_0',
    [
      [0, 2],
      [2, 4],
    ],
  ],
  [
    'Q5_1',
    [
      [0, 2, 2],
      [4, 4],
    ],
  ],
  ['Q8_0', [[0, 2]]],
  ['Q2_K', [[80, 2, 2]]],
  ['Q3_K', [[108, 2]]],
  ['Q4_K', [[0, 2, 2]]],
  ['Q5_K', [[0, 2, 2]]],
  ['Q6_K', [[208, 2]]],
  [
    'Q8_K',
    [
      [0, 4],
      [260, 2, 16],
    ],
  ],
  [
    'IQ1_S',
    [
      [0, 2],
      [34, 2, 8],
    ],
  ],
  ['IQ1_M', [[48, 2, 4]]],
  [
    'IQ2_XXS',
    [
      [0, 2],
      [2, 4, 16],
    ],
  ],
  [
    'IQ2_XS',
    [
      [0, 2],
      [2, 2, 32],
    ],
  ],
  ['IQ2_S', [[0, 2]]],
  [
    'IQ3_XXS',
    [
      [0, 2],
      [66, 4, 8],
    ],
  ],
  ['IQ3_S', [[0, 2]]],
  ['IQ4_NL', [[0, 2]]],
  ['IQ4_XS', [[0, 2, 2]]],
  ['MXFP4', []],
  ['NVFP4', []],
  ['TQ1_0', [[52, 2]]],
  ['TQ2_0', [[64, 2]]],
  ['Q1_0', [[0, 2]]],
  ['Q2_0', [[0, 2]]],
]);

/**
 * A copy of tensor data from a big-endian file in the byte order that everything else here expects.
 * @throws {RivuletError} `TENSOR_TYPE_UNSUPPORTED`, `INVALID_ARGUMENT` when `bytes` are not whole blocks
 */
export function toLittleEndian(type: TensorType, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const fields = wideFields.get(type);
  if (fields === undefined) throw unsupportedTensorType(type);
  const layout = tensorTypeByName(type);
  checkBlockBytes(type, bytes, (bytes.length / layout.blockBytes) * layout.blockElements, layout);
  const swapped = new Uint8Array(bytes);
  for (const [at, width, count = 1] of fields) {
    for (let block = at; block < swapped.length; block += layout.blockBytes) {
      for (let index = 0; index < count; index++) {
        const from = block + index * width;
        swapped.subarray(from, from + width).reverse();
      }
    }
  }
  return swapped;
}

import { RivuletError } from '../errors.ts';
import type { TensorType } from '../gguf/tensor-type.ts';
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './basic-formats.ts';
import type { BlockFormat } from './block-format.ts';
import { iq4_nl, iq4_xs, mxfp4, nvfp4 } from './codebook-formats.ts';
import { iq1_m, iq1_s, iq2_s, iq2_xs, iq2_xxs, iq3_s, iq3_xxs } from './grid-formats.ts';
import { q2_k, q3_k, q4_k, q5_k, q6_k, q8_k } from './k-formats.ts';
import { q1_0, q2_0, tq1_0, tq2_0 } from './ternary-formats.ts';

/** All block formats that can be read, by their type. */
export const blockFormats: ReadonlyMap<TensorType, BlockFormat> = new Map<TensorType, BlockFormat>([
  ['Q4_0', q4_0],
  ['Q4_1', q4_1],
  ['Q5_0', q5_0],
  ['Q5_1', q5_1],
  ['Q8_0', q8_0],
  ['Q2_K', q2_k],
  ['Q3_K', q3_k],
  ['Q4_K', q4_k],
  ['Q5_K', q5_k],
  ['Q6_K', q6_k],
  ['Q8_K', q8_k],
  ['IQ1_S', iq1_s],
  ['IQ1_M', iq1_m],
  ['IQ2_XXS', iq2_xxs],
  ['IQ2_XS', iq2_xs],
  ['IQ2_S', iq2_s],
  ['IQ3_XXS', iq3_xxs],
  ['IQ3_S', iq3_s],
  ['IQ4_NL', iq4_nl],
  ['IQ4_XS', iq4_xs],
  ['MXFP4', mxfp4],
  ['NVFP4', nvfp4],
  ['TQ1_0', tq1_0],
  ['TQ2_0', tq2_0],
  ['Q1_0', q1_0],
  ['Q2_0', q2_0],
]);

/** The error for a type that cannot be read. */
export function unsupportedTensorType(type: TensorType): RivuletError {
  return new RivuletError(
    'TENSOR_TYPE_UNSUPPORTED',
    `Expected a tensor of a type that can be read (floats, integers, ${Array.from(blockFormats.keys()).join(', ')}), found ${type}. Use a file with another quantization, such as Q4_K_M or Q8_0.`,
    { details: { type } },
  );
}

/** @throws {RivuletError} `INVALID_ARGUMENT` when `bytes` are not exactly `elementCount` elements of whole blocks */
export function checkBlockBytes(
  type: TensorType,
  bytes: Uint8Array,
  elementCount: number,
  layout: { readonly blockElements: number; readonly blockBytes: number },
): void {
  const expected = (elementCount / layout.blockElements) * layout.blockBytes;
  if (
    elementCount >= 0 &&
    Number.isSafeInteger(expected) &&
    expected === bytes.length &&
    elementCount % layout.blockElements === 0
  )
    return;
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected ${elementCount} elements of ${type} in whole blocks of ${layout.blockElements} elements and ${layout.blockBytes} bytes, found ${bytes.length} bytes. Give the bytes of exactly these elements.`,
    { details: { type, elementCount, byteLength: bytes.length } },
  );
}

import type { TensorType } from '../gguf/tensor-type.ts';
import { tensorTypeByName } from '../gguf/tensor-type.ts';
import type { BlockFormat } from './block-format.ts';
import { blockFormats, checkBlockBytes, unsupportedTensorType } from './block-formats.ts';

/** How ONNX Runtime's MatMulNBits holds a type. */
export interface NBitsLayout {
  readonly bits: 4 | 8;
  readonly blockSize: 16 | 32;
  /** Whether a product needs the block sums of its input times `NBitsWeights.correction` added. */
  readonly correction: boolean;
}

/** A matrix for MatMulNBits: the weight is `scale * (code - 2 ** (bits - 1)) + correction`. */
export interface NBitsWeights {
  /** (rows, columns / blockSize, blockSize * bits / 8); of 4-bit codes the earlier one is in the low half. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** (rows, columns / blockSize) */
  readonly scales: Float32Array<ArrayBuffer>;
  /** (rows, columns / blockSize), where the layout has it. */
  readonly correction?: Float32Array<ArrayBuffer>;
}

/** The layout of a quantized type; `undefined` for floats, integers and types that cannot be read. */
export function nBitsLayout(type: TensorType): NBitsLayout | undefined {
  const format = blockFormats.get(type);
  if (format === undefined) return undefined;
  return { bits: format.bits, blockSize: format.groupElements, correction: format.hasMinimum };
}

/** Elements per round of types that need an intermediate byte per code; it stays in the first-level cache. */
const roundElements = 4096;

/**
 * Rewrites the blocks of a matrix for MatMulNBits without loss.
 * @throws {RivuletError} `TENSOR_TYPE_UNSUPPORTED`, `INVALID_ARGUMENT`
 */
export function repackNBits(
  type: TensorType,
  bytes: Uint8Array,
  rows: number,
  columns: number,
): NBitsWeights {
  const format = blockFormats.get(type);
  if (format === undefined) throw unsupportedTensorType(type);
  const elements = rows * columns;
  checkBlockBytes(type, bytes, elements, tensorTypeByName(type));
  const codes = new Uint8Array((elements * format.bits) / 8);
  const shift = codeShift(format);
  const blocks = elements / format.blockElements;
  if (format.bits === 8) format.readCodes(bytes, blocks, shift, codes);
  else if (format.readNibbles !== undefined && shift === 0) format.readNibbles(bytes, blocks, codes);
  else packNibbles(format, bytes, shift, codes);
  const scales = new Float32Array(elements / format.groupElements);
  if (!format.hasMinimum) {
    format.readScales(bytes, blocks, scales, scales);
    return { codes, scales };
  }
  const correction = new Float32Array(scales.length);
  format.readScales(bytes, blocks, scales, correction);
  // The difference between MatMulNBits' zero and ours goes into the correction.
  const distance = 2 ** (format.bits - 1) - shift - format.zero;
  for (let i = 0; i < scales.length; i++) {
    correction[i] = distance * (scales[i] as number) - (correction[i] as number);
  }
  return { codes, scales, correction };
}

/**
 * What is added to a code: as much as makes MatMulNBits' zero the type's own, unless a 4-bit type uses all
 * 16 codes from 0, which only fit as they are.
 */
function codeShift(format: BlockFormat): number {
  if (format.readNibbles !== undefined) return 0;
  return 2 ** (format.bits - 1) - format.zero;
}

function packNibbles(format: BlockFormat, bytes: Uint8Array, shift: number, nibbles: Uint8Array): void {
  const { blockBytes, blockElements } = format;
  const roundBlocks = roundElements / blockElements;
  const codes = new Uint8Array(roundElements);
  const totalBlocks = bytes.length / blockBytes;
  for (let first = 0; first < totalBlocks; first += roundBlocks) {
    const blocks = Math.min(roundBlocks, totalBlocks - first);
    format.readCodes(bytes.subarray(first * blockBytes, (first + blocks) * blockBytes), blocks, shift, codes);
    const to = (first * blockElements) >> 1;
    const count = (blocks * blockElements) >> 1;
    for (let i = 0; i < count; i++) {
      nibbles[to + i] = (codes[2 * i] as number) | ((codes[2 * i + 1] as number) << 4);
    }
  }
}

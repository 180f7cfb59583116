import { RivuletError } from '../errors.ts';
import { roundToHalf } from './round-to-half.ts';

/** Types that {@link quantize} writes. */
export type QuantizedType = 'F32' | 'F16' | 'Q8_0';

const blockElements = 32;
const q8BlockBytes = 34;
const largestCode = 127;

/**
 * The bytes of a tensor's values in a type of GGUF files, little-endian, bit for bit those of ggml
 * (`quantize_row_q8_0_ref`).
 *
 * @param values whole blocks of 32 for Q8_0
 * @throws {RivuletError} `INVALID_ARGUMENT` for a part of a block
 */
export function quantize(type: QuantizedType, values: Float32Array): Uint8Array<ArrayBuffer> {
  switch (type) {
    case 'F32':
      return writeFloats(values);
    case 'F16':
      return writeHalves(values);
    case 'Q8_0':
      return writeEightBits(values);
  }
}

function writeFloats(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++)
    view.setFloat32(index * 4, values[index] as number, true);
  return bytes;
}

function writeHalves(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 2);
  for (let index = 0; index < values.length; index++) {
    const half = roundToHalf(values[index] as number);
    bytes[index * 2] = half;
    bytes[index * 2 + 1] = half >> 8;
  }
  return bytes;
}

/** Per block a half-precision scale, then 32 signed bytes. */
function writeEightBits(values: Float32Array): Uint8Array<ArrayBuffer> {
  if (values.length % blockElements !== 0) {
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected whole blocks of ${blockElements} values for Q8_0, found ${values.length} values. Choose another type for this tensor.`,
      { details: { elementCount: values.length } },
    );
  }
  const blocks = values.length / blockElements;
  const bytes = new Uint8Array(blocks * q8BlockBytes);
  for (let block = 0; block < blocks; block++) {
    const from = block * blockElements;
    const at = block * q8BlockBytes;
    let largest = 0;
    for (let i = 0; i < blockElements; i++) largest = Math.max(largest, Math.abs(values[from + i] as number));
    // The reference computes in single precision, each step rounded.
    const scale = Math.fround(largest / largestCode);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const half = roundToHalf(scale);
    bytes[at] = half;
    bytes[at + 1] = half >> 8;
    for (let i = 0; i < blockElements; i++) {
      const scaled = Math.fround((values[from + i] as number) * inverse);
      bytes[at + 2 + i] = roundAwayFromZero(scaled);
    }
  }
  return bytes;
}

/** C's `roundf`: a half goes away from zero, where `Math.round` goes up. */
function roundAwayFromZero(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

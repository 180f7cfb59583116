import type { TensorType } from '../gguf/tensor-type.ts';
import { halfTable } from './half.ts';

type PlainReader = (bytes: Uint8Array, output: Float32Array) => void;

/** Types without blocks. Values that are not exact in single precision are rounded to the nearest one. */
export const plainReaders: ReadonlyMap<TensorType, PlainReader> = new Map<TensorType, PlainReader>([
  ['F32', viewed(4, (view, at) => view.getFloat32(at, true))],
  ['F64', viewed(8, (view, at) => view.getFloat64(at, true))],
  ['I8', viewed(1, (view, at) => view.getInt8(at))],
  ['I16', viewed(2, (view, at) => view.getInt16(at, true))],
  ['I32', viewed(4, (view, at) => view.getInt32(at, true))],
  ['I64', viewed(8, (view, at) => Number(view.getBigInt64(at, true)))],
  ['F16', readHalves],
  ['BF16', readBrainFloats],
]);

function viewed(width: number, read: (view: DataView, at: number) => number): PlainReader {
  return (bytes, output) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < output.length; i++) output[i] = read(view, i * width);
  };
}

function readHalves(bytes: Uint8Array, output: Float32Array): void {
  const halves = halfTable();
  for (let i = 0; i < output.length; i++) {
    output[i] = halves[(bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8)] as number;
  }
}

/** A brain float is the upper half of a single-precision float. */
function readBrainFloats(bytes: Uint8Array, output: Float32Array): void {
  const words = new Uint32Array(output.buffer, output.byteOffset, output.length);
  for (let i = 0; i < words.length; i++) {
    words[i] = ((bytes[2 * i] as number) << 16) | ((bytes[2 * i + 1] as number) << 24);
  }
}

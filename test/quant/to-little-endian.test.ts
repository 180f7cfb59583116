import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tensorTypeByName } from '../../src/gguf/tensor-type.ts';
import { dequantize } from '../../src/quant/dequantize.ts';
import { toLittleEndian } from '../../src/quant/to-little-endian.ts';
import { differentBits, readQuantCases } from '../support/quant-cases.ts';

const cases = readQuantCases(fileURLToPath(new URL('../conformance/quants', import.meta.url)));

test.each(cases.filter(({ kind }) => kind === 'random'))(
  '$type twice is the original',
  ({ type, bytes, values }) => {
    const swapped = toLittleEndian(type, bytes);
    const wide = !['MXFP4', 'NVFP4'].includes(type);
    expect(Buffer.compare(swapped, bytes) !== 0).toBe(wide);
    const back = toLittleEndian(type, swapped);
    expect(Buffer.compare(back, bytes)).toBe(0);
    expect(differentBits(dequantize(type, back, values.length), values)).toBe(0);
  },
);

test('fields of a block', () => {
  const bytes = Uint8Array.from({ length: tensorTypeByName('Q5_1').blockBytes }, (_, index) => index);
  expect(Array.from(toLittleEndian('Q5_1', bytes).subarray(0, 10))).toEqual([1, 0, 3, 2, 7, 6, 5, 4, 8, 9]);
  expect(Array.from(toLittleEndian('I64', Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2)))).toEqual([
    2, 1, 0, 0, 0, 0, 0, 0,
  ]);
});

test('refused: unreadable types and half blocks', () => {
  expect(() => toLittleEndian('Q8_1', new Uint8Array(36))).toThrow(
    expect.objectContaining({ code: 'TENSOR_TYPE_UNSUPPORTED' }),
  );
  expect(() => toLittleEndian('Q4_0', new Uint8Array(17))).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dequantize } from '../../src/quant/dequantize.ts';
import { type QuantizedType, quantize } from '../../src/quant/quantize.ts';
import { roundToHalf } from '../../src/quant/round-to-half.ts';
import { readQuantCases } from '../support/quant-cases.ts';

const cases = readQuantCases(fileURLToPath(new URL('../conformance/quants', import.meta.url)));
const input = cases.find(({ type, kind }) => type === 'F32' && kind === 'quantized');

test.each(['F32', 'F16', 'Q8_0'] satisfies QuantizedType[])('%s is the reference bit by bit', (type) => {
  const expected = cases.find((each) => each.type === type && each.kind === 'quantized');
  expect(Buffer.from(quantize(type, input?.values ?? new Float32Array(0)))).toEqual(expected?.bytes);
});

test('half precision keeps every half, and rounds what lies between to even', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
  const values = dequantize('F16', new Uint8Array(bits.buffer), bits.length);
  for (let index = 0; index < 0x7c00; index++) {
    const [low, high] = [values[index] as number, values[index + 1] as number];
    const middle = index === 0x7bff ? 65_520 : (low + high) / 2;
    const even = (index & 1) === 0 ? index : index + 1;
    const found = [roundToHalf(low), roundToHalf(-low), roundToHalf(middle), roundToHalf(-middle)];
    if (JSON.stringify(found) !== JSON.stringify([index, index | 0x8000, even, even | 0x8000]))
      throw new Error(`${found.join(' ')} at ${index}.`);
  }
  expect([65_519.99, 65_520, 1e38, Infinity, -Infinity].map(roundToHalf)).toEqual([
    0x7bff, 0x7c00, 0x7c00, 0x7c00, 0xfc00,
  ]);
  expect(roundToHalf(Number.NaN) & 0x7e00).toBe(0x7e00);
  expect([0, -0, 2 ** -25, 2 ** -24 * 1.5, 2 ** -149].map(roundToHalf)).toEqual([0, 0x8000, 0, 2, 0]);
});

test('half precision is the nearest half', () => {
  const halves = dequantize(
    'F16',
    new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, index) => index).buffer),
    65_536,
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, min: -65_504, max: 65_504 }), (value) => {
      const found = roundToHalf(value);
      const error = Math.abs((halves[found] as number) - value);
      for (const neighbour of [found - 1, found + 1]) {
        const other = halves[neighbour];
        if (other !== undefined && Number.isFinite(other)) {
          expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }
    }),
  );
});

test('Q8_0 errs by at most half a step, and by the rounding of the scale', () => {
  const row = fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(row, (list) => {
      const values = Float32Array.from(list);
      const back = dequantize('Q8_0', quantize('Q8_0', values), 32);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const bound = (largest / 127) * 0.5 + largest * 2 ** -10 + 127 * 2 ** -24;
      values.forEach((value, index) => {
        expect(Math.abs(value - (back[index] as number))).toBeLessThanOrEqual(bound);
      });
    }),
  );
});

test('a part of a block is a typed error', () => {
  expect(() => quantize('Q8_0', new Float32Array(33))).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

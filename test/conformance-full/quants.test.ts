import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { canDequantize, dequantize } from '../../src/quant/dequantize.ts';
import { type QuantizedType, quantize } from '../../src/quant/quantize.ts';
import { nBitsLayout, repackNBits } from '../../src/quant/repack-nbits.ts';
import { nBitsValues, worstRounding } from '../support/n-bits-values.ts';
import { differentBits, readQuantCases } from '../support/quant-cases.ts';

const folder = process.env['RIVULET_CONFORMANCE'];
if (folder === undefined) {
  throw new Error('Set RIVULET_CONFORMANCE to the folder with the conformance data.');
}
const cases = readQuantCases(join(folder, 'quants'));
const table: Record<string, string | number>[] = [];

afterAll(() => {
  console.table(table);
  const unsupported = new Set(cases.map(({ type }) => type).filter((type) => !canDequantize(type)));
  console.log(`Not supported yet: ${Array.from(unsupported).join(', ') || 'none'}`);
});

/** The types that this version promises; a type may be added, none may go. */
const promised =
  'F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ4_NL IQ4_XS MXFP4 NVFP4 TQ1_0 TQ2_0 Q1_0 Q2_0'.split(
    ' ',
  );

test('all promised types are in the data and can be read', () => {
  const readable = new Set<string>(cases.map(({ type }) => type).filter(canDequantize));
  expect(promised.filter((type) => !readable.has(type))).toEqual([]);
});

describe.each(cases.filter(({ type }) => canDequantize(type)))('$type $kind', (quantCase) => {
  const { type, kind, bytes, rows, columns, values, vector, matrixVector } = quantCase;

  test('dequantizes and repacks', () => {
    const different = differentBits(dequantize(type, bytes, rows * columns), values);
    const layout = nBitsLayout(type);
    const weights = layout === undefined ? undefined : repackNBits(type, bytes, rows, columns);
    const rounding =
      layout === undefined || weights === undefined ? 0 : worstRounding(weights, layout, values);
    const repacked = layout === undefined || weights === undefined ? values : nBitsValues(weights, layout);
    const error = matrixVectorError(repacked, rows, columns, vector, matrixVector);
    table.push({
      type,
      case: kind,
      'values that differ': different,
      MatMulNBits: layout === undefined ? '–' : `${layout.bits}/${layout.blockSize}`,
      'rounding (half ulp)': Number(rounding.toFixed(2)),
      'matrix × vector error': Number(error.toExponential(1)),
    });
    expect(different).toBe(0);
    expect(rounding).toBeLessThanOrEqual(layout?.correction === true ? 3 : type === 'Q8_K' ? 1 : 0);
    expect(error).toBeLessThan(1e-6);
  });
});

describe.each(['quantized', 'quantized-gauss'])('%s', (kind) => {
  const input = readFileSync(join(folder, 'quants', kind === 'quantized' ? 'input.bin' : 'input-gauss.bin'));
  const values = new Float32Array(new Uint8Array(input).buffer);
  const written = cases.filter(
    (each) => each.kind === kind && (['F32', 'F16', 'Q8_0'] as string[]).includes(each.type),
  );

  test.each(written)('quantizes $type bit by bit', ({ type, bytes }) => {
    expect(Buffer.from(quantize(type as QuantizedType, values)).equals(bytes)).toBe(true);
  });
});

/** Largest error of a row's product, relative to the sum of the absolute products. */
function matrixVectorError(
  matrix: ArrayLike<number>,
  rows: number,
  columns: number,
  vector: Float32Array,
  expected: readonly number[],
): number {
  let worst = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    let magnitude = Number.MIN_VALUE;
    for (let column = 0; column < columns; column++) {
      const product = (matrix[row * columns + column] ?? Number.NaN) * (vector[column] ?? Number.NaN);
      sum += product;
      magnitude += Math.abs(product);
    }
    const error = Math.abs(sum - (expected[row] ?? Number.NaN)) / magnitude;
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  return worst;
}

import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tensorTypeByName, tensorTypes } from '../../src/gguf/tensor-type.ts';
import { dequantize } from '../../src/quant/dequantize.ts';
import { nBitsLayout, repackNBits } from '../../src/quant/repack-nbits.ts';
import { worstRounding } from '../support/n-bits-values.ts';
import { readQuantCases } from '../support/quant-cases.ts';

const cases = readQuantCases(fileURLToPath(new URL('../conformance/quants', import.meta.url))).filter(
  ({ type }) => nBitsLayout(type) !== undefined,
);

test('the layouts', () => {
  const rows = tensorTypes.flatMap(({ name }) => {
    const layout = nBitsLayout(name);
    return layout === undefined
      ? []
      : [`${name} ${layout.bits}/${layout.blockSize}${layout.correction ? ' corrected' : ''}`];
  });
  expect(rows).toMatchInlineSnapshot(`
    [
      "Q4_0 4/32",
      "Q4_1 4/32 corrected",
      "Q5_0 8/32",
      "Q5_1 8/32 corrected",
      "Q8_0 8/32",
      "Q2_K 4/16 corrected",
      "Q3_K 4/16",
      "Q4_K 4/32 corrected",
      "Q5_K 8/32 corrected",
      "Q6_K 8/16",
      "Q8_K 8/32",
      "IQ2_XXS 8/32",
      "IQ2_XS 8/16",
      "IQ3_XXS 8/32",
      "IQ1_S 8/32",
      "IQ4_NL 8/32",
      "IQ3_S 8/32",
      "IQ2_S 8/16",
      "IQ4_XS 8/32",
      "IQ1_M 8/16",
      "TQ1_0 4/32",
      "TQ2_0 4/32",
      "MXFP4 8/32",
      "NVFP4 8/16",
      "Q1_0 4/32",
      "Q2_0 4/32",
    ]
  `);
});

test.each(cases)('$type $kind means the same', ({ type, bytes, rows, columns, values }) => {
  const layout = nBitsLayout(type);
  if (layout === undefined) throw new Error('The list was filtered.');
  const weights = repackNBits(type, bytes, rows, columns);
  const blocks = (rows * columns) / layout.blockSize;
  expect(weights.codes).toHaveLength((rows * columns * layout.bits) / 8);
  expect(weights.scales).toHaveLength(blocks);
  expect(weights.correction?.length).toBe(layout.correction ? blocks : undefined);
  const worst = worstRounding(weights, layout, values);
  // Without a correction nothing is computed, so nothing may round; Q8_K alone has scales of 24 bits.
  expect(worst).toBeLessThanOrEqual(layout.correction ? 3 : type === 'Q8_K' ? 1 : 0);
});

test('neighbours share a byte, the earlier one in the low half', () => {
  // Scale 1, then the codes 0…15 in the low halves and 15…0 in the high ones.
  const block = Uint8Array.from({ length: 18 }, (_, index) =>
    index === 0 ? 0 : index === 1 ? 0x3c : (index - 2) | ((17 - index) << 4),
  );
  const { codes, scales } = repackNBits('Q4_0', block, 1, 32);
  expect(Array.from(scales)).toEqual([1]);
  expect(Array.from(codes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')).toBe(
    '10 32 54 76 98 ba dc fe ef cd ab 89 67 45 23 01',
  );
});

test('any finite blocks mean the same', () => {
  const types = tensorTypes.flatMap((info) => {
    const layout = nBitsLayout(info.name);
    return layout === undefined ? [] : [{ ...info, layout }];
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 2 }),
      fc.infiniteStream(fc.nat(255)),
      (info, rows, blocks, stream) => {
        const bytes = Uint8Array.from(stream.take(rows * blocks * info.blockBytes));
        const columns = blocks * info.blockElements;
        const values = dequantize(info.name, bytes, rows * columns);
        fc.pre(values.every((value) => Math.abs(value) < 1e30));
        const worst = worstRounding(repackNBits(info.name, bytes, rows, columns), info.layout, values);
        expect(worst).toBeLessThanOrEqual(info.layout.correction ? 3 : info.name === 'Q8_K' ? 1 : 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('refused: types without blocks or without a reader, and wrong sizes', () => {
  for (const type of ['F32', 'F16', 'I8', 'Q8_1'] as const) {
    expect(nBitsLayout(type)).toBeUndefined();
    const { blockBytes, blockElements } = tensorTypeByName(type);
    expect(() => repackNBits(type, new Uint8Array(blockBytes), 1, blockElements)).toThrow(
      expect.objectContaining({ code: 'TENSOR_TYPE_UNSUPPORTED' }),
    );
  }
  expect(() => repackNBits('Q4_0', new Uint8Array(18), 2, 32)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

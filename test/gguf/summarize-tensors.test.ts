import { expect, test } from 'vitest';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { summarizeTensors } from '../../src/gguf/summarize-tensors.ts';
import { writeGguf } from '../support/write-gguf.ts';
import type { WritableTensor } from '../support/write-gguf.ts';

function summaryOf(tensors: readonly WritableTensor[]): ReturnType<typeof summarizeTensors> {
  return summarizeTensors(parseGgufHeader(writeGguf({ metadata: {}, tensors }), { name: 'x.gguf' }).tensors);
}

test('parameters, bytes, and the type of most matrices', () => {
  const summary = summaryOf([
    { name: 'norm', type: 'F32', shape: [1024], bytes: new Uint8Array(4096) },
    { name: 'a', type: 'Q4_K', shape: [256, 4], bytes: new Uint8Array(576) },
    { name: 'b', type: 'Q6_K', shape: [256, 2], bytes: new Uint8Array(420) },
  ]);
  expect(summary.parameters).toBe(1024 + 1024 + 512);
  expect(summary.quantization).toBe('Q4_K');
  expect(summary.bytesByType).toEqual(
    new Map([
      ['F32', 4096],
      ['Q4_K', 576],
      ['Q6_K', 420],
    ]),
  );
});

test('without matrices, the type of most bytes; without tensors, F32', () => {
  expect(
    summaryOf([
      { name: 'a', type: 'F16', shape: [8], bytes: new Uint8Array(16) },
      { name: 'b', type: 'F32', shape: [1], bytes: new Uint8Array(4) },
    ]).quantization,
  ).toBe('F16');
  expect(summaryOf([])).toEqual({ parameters: 0, quantization: 'F32', bytesByType: new Map() });
});

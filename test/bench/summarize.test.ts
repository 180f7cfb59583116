import { describe, expect, it } from 'vitest';

import type { Measured } from './collect.ts';
import { formatRows, threeDigits } from './format-table.ts';
import type { Series } from './statistics.ts';
import { summarize } from './summarize.ts';
import type { Row } from './summarize.ts';

const small = { parameters: 135e6, bytesPerToken: 100e6, bandwidth: [20e9, 10e9] };

function subject(label: string, series: Record<string, Series>): Measured {
  return { label, plan: { kind: 'bare' }, series: series as Measured['series'] };
}

function rowOf(rows: readonly Row[], id: string): Row {
  const row = rows.find(({ figure }) => figure.id === id);
  if (row === undefined) throw new Error(`There is no row "${id}".`);
  return row;
}

const subjects = [
  subject('rivulet', { 'decode-0': [100, 80], 'streams-8': [600, 480], 'cold-start': [100, 120] }),
  subject('node-llama-cpp, 1 thread', {
    'decode-0': [50, 40],
    'streams-8': [80, 60],
    'cold-start': [900, 1000],
  }),
  subject('node-llama-cpp, 2 threads', {
    'decode-0': [40, 45],
    'streams-8': [90, 70],
    'cold-start': [800, 1000],
  }),
];

describe('summarize', () => {
  const rows = summarize(subjects, small);

  it('takes the thread count that suits the other one best, for each figure', () => {
    expect(rowOf(rows, 'decode-0').theirs?.label).toBe('node-llama-cpp, 1 thread');
    expect(rowOf(rows, 'streams-8').theirs?.label).toBe('node-llama-cpp, 2 threads');
    expect(rowOf(rows, 'cold-start').theirs).toMatchObject({
      label: 'node-llama-cpp, 2 threads',
      median: 900,
    });
  });

  it('gives medians and the median of the ratios of each round', () => {
    expect(rowOf(rows, 'decode-0')).toMatchObject({ ratio: 2, verdict: 'must', ours: { median: 90 } });
    expect(rowOf(rows, 'cold-start')).toMatchObject({ ratio: (100 / 800 + 120 / 1000) / 2, verdict: 'must' });
  });

  it('derives what eight streams gain, and the part of the limit', () => {
    expect(rowOf(rows, 'streams-gain')).toMatchObject({ ours: { series: [6, 6] }, verdict: 'goal' });
    // 20 and 10 GB/s through 100 MB are 200 and 100 tokens per second.
    expect(rowOf(rows, 'memory-limit').ours?.series).toEqual([0.5, 0.8]);
    expect(rowOf(rows, 'memory-limit').verdict).toBeUndefined();
  });

  it('holds larger models to other goals', () => {
    const large = summarize(subjects, { ...small, parameters: 1.2e9 });
    expect(rowOf(large, 'decode-0').verdict).toBe('goal');
  });

  it('leaves out rows that nobody has a value for, and keeps those where one failed', () => {
    expect(rows.map(({ figure }) => figure.id)).toEqual([
      'cold-start',
      'decode-0',
      'memory-limit',
      'streams-8',
      'streams-gain',
    ]);
    const failed = summarize([subject('rivulet', {}), ...subjects.slice(1)], small);
    expect(rowOf(failed, 'decode-0').ours).toBeUndefined();
    expect(rowOf(failed, 'decode-0').verdict).toBeUndefined();
  });
});

describe('formatRows', () => {
  it('is a table whose columns stand below each other', () => {
    expect(`\n${formatRows(summarize(subjects, { ...small, bandwidth: [] }))}\n`).toMatchInlineSnapshot(`
      "
      |                                 | rivulet    | node-llama-cpp         | ratio | must, goal         | reached |
      | ------------------------------- | ---------- | ---------------------- | ----- | ------------------ | ------- |
      | process start → ready, ms       | 110 ±9 %   | 900 ±11 % (2 threads)  | 0.122 | ratio ≤ 0.3, ≤ 0.1 | must    |
      | decode, context 0, tok/s        | 90.0 ±11 % | 45.0 ±11 % (1 thread)  | 2.00  | ratio ≥ 2, ≥ 3     | must    |
      | 8 streams together, tok/s       | 540 ±11 %  | 80.0 ±13 % (2 threads) | 6.76  | ratio ≥ 3, ≥ 6     | goal    |
      | 8 streams against decode of one | 6.00       | 1.77 ±1 %              | 3.38  | ≥ 3, ≥ 5           | goal    |
      "
    `);
  });

  it('has no column for others when there are none', () => {
    const table = formatRows(summarize(subjects.slice(0, 1), small));
    expect(table).not.toContain('node-llama-cpp');
    expect(table).toContain('| process start → ready, ms ');
  });
});

it('threeDigits', () => {
  expect([0, 0.0001, 0.12345, 0.99949, 0.99951, 9.99, 9.996, 99.94, 99.96, 1234.5].map(threeDigits)).toEqual([
    '0.000',
    '< 0.001',
    '0.123',
    '0.999',
    '1.00',
    '9.99',
    '10.0',
    '99.9',
    '100',
    '1235',
  ]);
});

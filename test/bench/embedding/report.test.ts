import { describe, expect, it } from 'vitest';
import type { EmbedFigures } from './embedder.ts';
import { formatRows, summarize } from './report.ts';
import { makeTexts } from './texts.ts';

const figures = (batchedMs: number, vectors: number[][], singleMs?: number): EmbedFigures => ({
  engine: 'e',
  batchedMs,
  vectors,
  ...(singleMs === undefined ? {} : { singleMs }),
});

describe('the table of embedders', () => {
  const ours = { label: 'ours', rounds: [100, 110, 90].map((ms) => figures(ms, [[1, 0]], ms * 4)) };
  const theirs = { label: 'theirs', rounds: [200, 110, 270].map((ms) => figures(ms, [[1, 1]])) };
  const rows = summarize([ours, theirs], 10);

  it('takes medians of the rounds and ratios of each', () => {
    expect(rows[0]).toMatchObject({ label: 'ours (e)', textsPerSecond: 100, singlyPerSecond: 25, ratio: 1 });
    expect(rows[1]).toMatchObject({ textsPerSecond: 50, ratio: 2 });
    expect(rows[1]).not.toHaveProperty('singlyPerSecond');
  });

  it('tells how far vectors are apart, of lengths other than 1 too', () => {
    expect(rows[0]?.leastSimilarity).toBeCloseTo(1, 12);
    expect(rows[1]?.leastSimilarity).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('is Markdown with as many cells in each line', () => {
    const lines = formatRows(rows).split('\n');
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
    expect(lines[2]).toContain('| 4.00 ');
  });
});

it('texts have all lengths of the range, each time the same', () => {
  const count = (text: string): number => text.split(' ').length + 2;
  const texts = makeTexts(49, { least: 16, most: 64 }, count);
  expect(texts.map(count).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 49 }, (_, n) => 16 + n));
  expect(texts.map(count)).not.toEqual(texts.map(count).toSorted((a, b) => a - b));
  expect(makeTexts(49, { least: 16, most: 64 }, count)).toEqual(texts);
});

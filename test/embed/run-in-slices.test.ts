import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { embedInSlices, rerankInSlices } from '../../src/embed/run-in-slices.ts';
import type { RunSlice } from '../../src/embed/run-in-slices.ts';
import type { SliceResult, TextSlice } from '../../src/embed/text-vectors.ts';

const textsOf = (slice: TextSlice): readonly string[] =>
  slice.kindOfSlice === 'embed' ? slice.values : slice.documents;

/** A row is the text's number. */
const answer = (slice: TextSlice): SliceResult => ({
  rows: textsOf(slice).map((text) => Float32Array.of(Number(text))),
  tokens: textsOf(slice).length,
  warnings: [{ type: 'other', message: 'the same for all' }],
});

describe('embedInSlices', () => {
  it('keeps the order of 100 000 texts, few of them under way at once', async () => {
    let underWay = 0;
    let most = 0;
    const run: RunSlice = async (slice) => {
      underWay += textsOf(slice).length;
      most = Math.max(most, underWay);
      await sleep(slice.first % 3);
      underWay -= textsOf(slice).length;
      return answer(slice);
    };
    const values = Array.from({ length: 100_000 }, (_, index) => String(index));
    const seen: number[] = [];
    const { embeddings, usage, warnings } = await embedInSlices(
      { values, onProgress: ({ done, total }) => seen.push(done / total) },
      run,
    );
    expect(embeddings.every((row, index) => row[0] === index)).toBe(true);
    expect(usage.tokens).toBe(100_000);
    expect(warnings).toHaveLength(1);
    expect(most).toBeLessThanOrEqual(1024);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('sends long texts in slices of their own', async () => {
    const sizes: number[] = [];
    await embedInSlices({ values: ['1'.repeat(2 ** 20), '2', '3'] }, async (slice) => {
      sizes.push(textsOf(slice).length);
      return answer(slice);
    });
    expect(sizes).toEqual([1, 2]);
  });

  it('answers nothing for nothing', async () => {
    const result = await embedInSlices({ values: [] }, () => Promise.reject(new Error('not called')));
    expect(result).toEqual({ embeddings: [], usage: { tokens: 0 }, warnings: [] });
  });

  it('ends with the first failure and begins nothing more', async () => {
    let calls = 0;
    const failing: RunSlice = async () => {
      calls += 1;
      await sleep(1);
      throw new Error('no');
    };
    const values = Array.from({ length: 5000 }, () => '1');
    await expect(embedInSlices({ values }, failing)).rejects.toThrow('no');
    expect(calls).toBe(2);
  });

  it('refuses what is no text, by its place', async () => {
    const values = ['a', 7 as unknown as string];
    await expect(embedInSlices({ values }, async (slice) => answer(slice))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('values[1]') as string,
    });
  });
});

describe('rerankInSlices', () => {
  it('orders by score, of equal ones the earlier first', async () => {
    const documents = ['0.2', '0.9', '0.2', '0.5'];
    const { ranking } = await rerankInSlices({ query: 'q', documents, topN: 3 }, async (slice) =>
      answer(slice),
    );
    expect(ranking.map(({ index }) => index)).toEqual([1, 3, 0]);
  });

  it('refuses a topN that counts nothing', async () => {
    await expect(
      rerankInSlices({ query: 'q', documents: ['1'], topN: -1 }, async (slice) => answer(slice)),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

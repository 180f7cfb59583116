import { describe, expect, it } from 'vitest';

import { bucketOf, checkBuckets } from '../../src/graph/position-bias.ts';

// 32 buckets, as in all T5 models, worked out by hand: 8 + 8 log(d / 8) / log(16) and 16 + 16 log(d / 16) / log(8).
const known: readonly (readonly [distance: number, both: number, back: number])[] = [
  [0, 0, 0],
  [-1, 1, 1],
  [1, 17, 0],
  [-7, 7, 7],
  [-8, 8, 8],
  [-11, 8, 11],
  [-12, 9, 12],
  [-15, 9, 15],
  [-16, 10, 16],
  [16, 26, 0],
  [-23, 11, 18],
  [-32, 12, 21],
  [-64, 14, 26],
  [64, 30, 0],
  [-91, 15, 29],
  [-128, 15, 31],
  [-5000, 15, 31],
  [5000, 31, 0],
];

describe('buckets of distances', () => {
  it.each(known)('%i', (distance, both, back) => {
    expect(bucketOf(distance, 32, true)).toBe(both);
    expect(bucketOf(distance, 32, false)).toBe(back);
  });

  it('never leave the table, and never fall with the distance', () => {
    for (const buckets of [4, 5, 8, 31, 32, 128]) {
      for (const bidirectional of [true, false]) {
        let last = 0;
        for (let length = 0; length < 300; length++) {
          const bucket = bucketOf(-length, buckets, bidirectional);
          expect(bucket).toBeGreaterThanOrEqual(last);
          expect(bucketOf(length, buckets, bidirectional)).toBeLessThan(buckets);
          expect(bucket).toBeLessThan(buckets);
          last = bucket;
        }
      }
    }
  });

  it.each([0, 3, 2.5, 129, Number.NaN])('a file with %d of them is refused', (count) => {
    expect(() => checkBuckets(count, 't5.key')).toThrow(expect.objectContaining({ code: 'GGUF_INVALID' }));
  });
});

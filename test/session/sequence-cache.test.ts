import { describe, expect, it } from 'vitest';

import { SequenceCache } from '../../src/session/sequence-cache.ts';

const layers = [
  { kvHeads: 2, headDim: 3 },
  { kvHeads: 1, headDim: 2 },
];
/** Numbers per token: keys and values of both layers. */
const width = 2 * (2 * 3 + 1 * 2);

/** A row whose numbers tell token and place. */
const rowOf = (token: number): number[] => Array.from({ length: width }, (_, place) => token * 100 + place);
const rows = (...tokens: number[]): Float32Array => Float32Array.from(tokens.flatMap(rowOf));

/** What a cache holds for a token, in the order of a row. */
function read(cache: SequenceCache, token: number): number[] {
  return layers.flatMap(({ kvHeads, headDim }, layer) =>
    [cache.key(layer), cache.value(layer)].flatMap((array) =>
      Array.from({ length: kvHeads }, (_, head) => {
        const start = (head * cache.capacity + token) * headDim;
        return Array.from(array.subarray(start, start + headDim));
      }).flat(),
    ),
  );
}

describe('the cache of a sequence', () => {
  it('keeps every row in its place while it grows', () => {
    const cache = new SequenceCache(layers, 1000);
    for (let token = 0; token < 300; token += 3) cache.append(rows(token, token + 1, token + 2), 3);
    expect(cache.length).toBe(300);
    for (const token of [0, 1, 63, 64, 150, 299]) expect(read(cache, token)).toEqual(rowOf(token));
  });

  it('reserves little more than it needs, and never beyond the context', () => {
    const cache = new SequenceCache(layers, 130);
    cache.append(rows(0), 1);
    expect(cache.capacity).toBeLessThanOrEqual(128);
    cache.reserve(129);
    expect(cache.capacity).toBe(130);
    expect(SequenceCache.bytesPerToken(layers)).toBe(width * 4);
  });

  it('forgets what is cut off', () => {
    const cache = new SequenceCache(layers, 100);
    cache.append(rows(0, 1, 2), 3);
    cache.truncate(1);
    cache.append(rows(7), 1);
    expect(cache.length).toBe(2);
    expect([read(cache, 0), read(cache, 1)]).toEqual([rowOf(0), rowOf(7)]);
  });

  it('a fork has the beginning, and goes its own way', () => {
    const cache = new SequenceCache(layers, 100);
    cache.append(rows(0, 1, 2), 3);
    const fork = cache.fork(2);
    fork.append(rows(9), 1);
    expect(read(fork, 1)).toEqual(rowOf(1));
    expect(read(fork, 2)).toEqual(rowOf(9));
    expect(read(cache, 2)).toEqual(rowOf(2));
  });

  it('says how much memory was missing', () => {
    const huge = new SequenceCache([{ kvHeads: 2 ** 20, headDim: 2 ** 12 }], 2 ** 20);
    expect(() => huge.reserve(2 ** 18)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
  });
});

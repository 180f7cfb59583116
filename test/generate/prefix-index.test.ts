import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createPrefixIndex } from '../../src/generate/prefix-index.ts';
import type { BlockHash } from '../../src/generate/prefix-index.ts';
import { createTokenList } from '../../src/generate/token-list.ts';
import type { TokenList } from '../../src/generate/token-list.ts';

interface Holder {
  readonly name: number;
  readonly tokens: TokenList;
  length: number;
}

const holderOf = (name: number, ids: readonly number[], length = ids.length): Holder => ({
  name,
  tokens: createTokenList(Int32Array.from(ids)),
  length,
});

const common = (holder: Holder, ids: readonly number[], limit: number): number => {
  let count = 0;
  while (count < Math.min(holder.length, limit) && holder.tokens.storage[count] === ids[count]) count += 1;
  return count;
};

/** Few different ids and lengths around those of a block, so that beginnings meet often. */
const idLists = fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 14 });
const named = (holders: Iterable<Holder>): number[] =>
  Array.from(holders, (holder) => holder.name).sort((left, right) => left - right);

describe.each<[string, BlockHash | undefined]>([
  ['its own hash', undefined],
  ['a hash that is the same for everything', () => 7],
  ['a hash of the last id alone', (_, ids, __, end) => ids[end - 1]!],
])('an index with %s', (_, hash) => {
  test('finds what comparing with everything finds', () => {
    fc.assert(
      fc.property(
        fc.array(idLists, { maxLength: 12 }),
        fc.array(fc.nat({ max: 11 }), { maxLength: 8 }),
        idLists,
        fc.nat({ max: 16 }),
        fc.integer({ min: 1, max: 5 }),
        (lists, removed, prompt, limit, blockTokens) => {
          const index = createPrefixIndex<Holder>(blockTokens, hash);
          let holders = lists.map((ids, name) => holderOf(name, ids));
          for (const holder of holders) index.update(holder);
          for (const name of removed) if (holders[name] !== undefined) index.remove(holders[name]);
          holders = holders.filter(({ name }) => !removed.includes(name));

          const limited = Math.min(limit, prompt.length);
          const longest = Math.max(0, ...holders.map((holder) => common(holder, prompt, limited)));
          const match = index.longest(createTokenList(Int32Array.from(prompt)), limit);
          expect(match.length).toBe(longest);
          expect(named(match.holders)).toEqual(
            longest === 0
              ? []
              : named(holders.filter((holder) => common(holder, prompt, limited) === longest)),
          );
          for (const holder of holders) {
            const others = holders.filter((other) => other !== holder);
            const shared = (other: Holder): number => common(other, lists[holder.name]!, holder.length);
            expect(named(index.covering(holder))).toEqual(
              named(others.filter((other) => shared(other) === holder.length)),
            );
            expect(named(index.within(holder))).toEqual(
              named(others.filter((other) => shared(other) === other.length)),
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('follows sequences that grow', () => {
    const index = createPrefixIndex<Holder>(4, hash);
    const ids = Array.from({ length: 40 }, (__, position) => position % 6);
    const holder = holderOf(1, ids, 0);
    index.update(holder);
    expect(index.longest(holder.tokens, 40).length).toBe(0);
    for (const length of [1, 3, 4, 5, 17, 18, 40]) {
      holder.length = length;
      index.update(holder);
      expect(index.longest(holder.tokens, 40)).toMatchObject({ length });
      expect(index.longest(holder.tokens, 10).length).toBe(Math.min(length, 10));
    }
    index.remove(holder);
    expect(index.longest(holder.tokens, 40)).toEqual({ length: 0, holders: [] });
  });
});

test('a look-up takes one hash per block, however many sequences there are', () => {
  let hashes = 0;
  const counting: BlockHash = (parent, ids, start, end) => {
    hashes += 1;
    let hash = parent;
    for (let position = start; position < end; position += 1)
      hash = (Math.imul(hash, 31) + ids[position]!) | 0;
    return hash;
  };
  const index = createPrefixIndex<Holder>(64, counting);
  const shared = Array.from({ length: 1024 }, (_, position) => (position * 7) % 50);
  for (let name = 0; name < 500; name += 1) index.update(holderOf(name, [...shared, name, name, name]));
  hashes = 0;
  const match = index.longest(createTokenList(Int32Array.from([...shared, 321, 321, 0])), 2000);
  expect(match.length).toBe(1026);
  expect(named(match.holders)).toEqual([321]);
  expect(hashes).toBe(16);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLevelAlphabet, byteOfCharacter } from '../../src/tokenizer/byte-level-alphabet.ts';
import { PairTable } from '../../src/tokenizer/pair-table.ts';
import { type MergeRules, SymbolMerger } from '../../src/tokenizer/symbol-merger.ts';

/** Rules by rank: the pair merges[r] becomes the symbol 10 + r. */
function rulesOf(merges: readonly (readonly [number, number])[]): MergeRules {
  return {
    find: (left, right) => merges.findIndex(([first, second]) => first === left && second === right),
    priorityOf: (merge) => merge,
    symbolOf: (merge) => 10 + merge,
  };
}

/** Looks through all neighbours for the best merge, again and again. */
function mergeSlowly(symbols: readonly number[], rules: MergeRules): readonly number[] {
  const list = [...symbols];
  for (;;) {
    let best = -1;
    let bestAt = -1;
    for (let index = 0; index + 1 < list.length; index++) {
      const merge = rules.find(list[index] ?? -1, list[index + 1] ?? -1);
      if (merge !== -1 && (best === -1 || merge < best)) [best, bestAt] = [merge, index];
    }
    if (best === -1) return list;
    list.splice(bestAt, 2, rules.symbolOf(best));
  }
}

test('any merges over any symbols: as by looking for the best each time', () => {
  const symbol = fc.nat(3);
  const merge = fc.tuple(
    fc.oneof(symbol, fc.integer({ min: 10, max: 17 })),
    fc.oneof(symbol, fc.integer({ min: 10, max: 17 })),
  );
  const merger = new SymbolMerger();
  fc.assert(
    fc.property(fc.array(merge, { maxLength: 8 }), fc.array(symbol, { maxLength: 60 }), (merges, symbols) => {
      const rules = rulesOf(merges);
      merger.reserve(symbols.length);
      merger.symbols.set(symbols);
      merger.lengths.fill(1, 0, symbols.length);
      const count = merger.merge(symbols.length, rules);
      expect(Array.from(merger.symbols.subarray(0, count))).toEqual(mergeSlowly(symbols, rules));
      expect(merger.lengths.subarray(0, count).reduce((sum, length) => sum + length, 0)).toBe(symbols.length);
    }),
    { numRuns: 500 },
  );
});

test('a pair table is a map of pairs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.nat(60), fc.integer({ min: -1, max: 9 })), { maxLength: 3000 }),
      (entries) => {
        const table = new PairTable(0);
        const map = new Map<string, number>();
        for (const [left, right, value] of entries) {
          table.set(left, right, value);
          map.set(`${left} ${right}`, value);
        }
        expect(table.size).toBe(map.size);
        for (const [left, right] of entries) expect(table.get(left, right)).toBe(map.get(`${left} ${right}`));
        expect(table.get(61, 0)).toBe(PairTable.absent);
        table.clear();
        expect([table.size, table.get(entries[0]?.[0] ?? 0, entries[0]?.[1] ?? 0)]).toEqual([
          0,
          PairTable.absent,
        ]);
      },
    ),
    { numRuns: 30 },
  );
});

test('the byte-level alphabet is one character per byte, and back', () => {
  expect(new Set(byteLevelAlphabet).size).toBe(256);
  expect([
    byteLevelAlphabet[0x20],
    byteLevelAlphabet[0x0a],
    byteLevelAlphabet[0x41],
    byteLevelAlphabet[0xad],
  ]).toEqual(['Ġ', 'Ċ', 'A', 'Ń']);
  byteLevelAlphabet.forEach((character, byte) => expect(byteOfCharacter(character.charCodeAt(0))).toBe(byte));
  expect([byteOfCharacter(0x20), byteOfCharacter(0x144 + 1), byteOfCharacter(0x1f600)]).toEqual([-1, -1, -1]);
});

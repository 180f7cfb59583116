import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultPreTokenizer, type PreTokenizer, preTokenizers } from '../../src/tokenizer/pre-tokenizers.ts';
import { splitWords } from '../../src/tokenizer/split-words.ts';
import { readJsonGz, trimmedTokenizers } from '../support/tokenizer-cases.ts';

interface Golden {
  readonly texts: readonly string[];
  readonly preTokenizers: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly splits: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const golden = readJsonGz(join(trimmedTokenizers, 'pre-tokenizers.json.gz')) as Golden;
const utf8 = new TextEncoder();

function lengths(text: string, row: PreTokenizer): readonly number[] {
  return splitWords(text, row.rules())
    .map((piece) => utf8.encode(piece).length)
    .filter((length) => length > 0);
}

function flagsOf(row: PreTokenizer): readonly string[] {
  return [
    ...(row.addBos ? ['add_bos'] : []),
    ...(row.escapeSpaces ? ['escape_whitespaces'] : []),
    ...(row.ignoreMerges ? ['ignore_merges'] : []),
    ...(row.cleanSpaces === false ? ['keeps_spaces'] : []),
    ...(row.withoutDefaultBos ? ['no_default_bos'] : []),
  ];
}

test('the table has the names of the reference, no more and no fewer', () => {
  expect(Array.from(preTokenizers.keys()).toSorted()).toEqual(Object.keys(golden.preTokenizers).toSorted());
});

test('the flags are those of the reference', () => {
  const found = Object.fromEntries(Array.from(preTokenizers, ([name, row]) => [name, flagsOf(row)]));
  expect(found).toEqual(golden.flags);
});

describe.each(Object.entries(golden.preTokenizers))('%s', (name, rowName) => {
  const row = preTokenizers.get(name) ?? defaultPreTokenizer;

  test('splits random texts as the reference does', () => {
    const found = golden.texts.map((text) => lengths(text, row));
    expect(found).toEqual(golden.splits[rowName] ?? golden.splits['DEFAULT']);
  });

  test('loses nothing', () => {
    for (const text of golden.texts) expect(splitWords(text, row.rules()).join('')).toBe(text);
  });
});

/** Texts on which a careless pattern tries every position again. */
const hardTexts: readonly (readonly [string, string])[] = [
  ['letters', 'a'.repeat(200_000)],
  ['capitals', 'A'.repeat(200_000)],
  ['spaces before a word', `${' '.repeat(200_000)}x`],
  ['spaces after a newline', `\n${' '.repeat(200_000)}x`],
  ['wide spaces before a word', `${'\u3000'.repeat(200_000)}x`],
  ['digits', '7'.repeat(200_000)],
  ['marks', '\u0301'.repeat(200_000)],
  ['punctuation', '!'.repeat(200_000)],
];

test.each(hardTexts)('no rule needs quadratic time on %s', (_, text) => {
  for (const [name, row] of preTokenizers) {
    const startMs = performance.now();
    splitWords(text, row.rules());
    // The slowest take some 200 ms for a million pieces; quadratic time would be minutes.
    expect(performance.now() - startMs, name).toBeLessThan(3000);
  }
});

test('a word beyond the memory of the pattern engine is a typed error', () => {
  const row = preTokenizers.get('exaone-moe') ?? defaultPreTokenizer;
  expect(() => splitWords('a'.repeat(8_000_000), row.rules())).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { textLength: 8_000_000 } }),
  );
});

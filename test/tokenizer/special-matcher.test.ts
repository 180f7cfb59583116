import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MetadataValue } from '../../src/gguf/metadata.ts';
import { StringList } from '../../src/gguf/string-list.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { SpecialMatcher } from '../../src/tokenizer/special-matcher.ts';
import { tokenAttributes } from '../../src/tokenizer/token-attributes.ts';
import { Vocabulary } from '../../src/tokenizer/vocabulary.ts';
import { bytePairMetadata, sentencePieceMetadata, type SmallToken } from './small-vocabulary.ts';

const { control, userDefined, unknown, normal } = tokenAttributes;

function matcher(tokens: readonly (readonly [string, number])[], parseSpecial = true): SpecialMatcher {
  const attributes = Uint8Array.from(tokens, ([, attribute]) => attribute);
  return new SpecialMatcher(
    new Vocabulary(StringList.from(tokens.map(([text]) => text)), attributes),
    parseSpecial,
  );
}

/** Texts of the pieces, special tokens in brackets. */
function cut(
  tokens: readonly (readonly [string, number])[],
  text: string,
  options: { parseSpecial?: boolean; guards?: readonly number[] } = {},
): readonly string[] {
  return matcher(tokens, options.parseSpecial)
    .split(text, options.guards)
    .map((fragment) =>
      'id' in fragment ? `[${tokens[fragment.id]?.[0]}]` : text.slice(fragment.start, fragment.end),
    );
}

test('the longest token takes its place first, wherever it stands', () => {
  const tokens = [
    ['ab', control],
    ['bcd', control],
  ] as const;
  expect(cut(tokens, 'abcd ab')).toEqual(['a', '[bcd]', ' ', '[ab]']);
});

test('length is in bytes, as in the reference', () => {
  expect(
    cut(
      [
        ['ab好', control],
        ['好好', control],
      ],
      'ab好好',
    ),
  ).toEqual(['ab', '[好好]']);
});

test('a token follows itself without a gap', () => {
  expect(cut([['aa', control]], 'aaaaa')).toEqual(['[aa]', '[aa]', 'a']);
});

test('without special parsing only user-defined tokens count', () => {
  const tokens = [
    ['<c>', control],
    ['<u>', userDefined],
    ['<?>', unknown],
    ['<n>', normal],
    ['<both>', userDefined | control],
  ] as const;
  expect(cut(tokens, '<c><u><?><n><both>', { parseSpecial: false })).toEqual([
    '<c>',
    '[<u>]',
    '<?><n><both>',
  ]);
  expect(cut(tokens, '<c><u><?><n><both>')).toEqual(['[<c>]', '[<u>]', '[<?>]', '<n>', '[<both>]']);
});

test('empty and special-free texts', () => {
  expect(cut([['<c>', control]], '')).toEqual([]);
  expect(cut([['<c>', control]], 'plain')).toEqual(['plain']);
  expect(cut([], 'plain')).toEqual(['plain']);
});

describe('guards', () => {
  const tokens = [['<|end|>', control]] as const;

  test.each([
    ['inside', [3], ['<|end|>', '[<|end|>]']],
    ['at the start', [0], ['[<|end|>]', '[<|end|>]']],
    ['at the border', [7], ['[<|end|>]', '[<|end|>]']],
    ['inside both', [1, 13], ['<|end|><|end|>']],
    ['many elsewhere', [0, 7, 14, 15], ['[<|end|>]', '[<|end|>]']],
  ])('%s', (_, guards, expected) => {
    expect(cut(tokens, '<|end|><|end|>', { guards }).join('|')).toBe(expected.join('|'));
  });

  test('a token that a guard forbids leaves room for one that begins inside it', () => {
    expect(cut([['aab', control]], 'aaaab', { guards: [1] })).toEqual(['aa', '[aab]']);
    expect(
      cut(
        [
          ['abab', control],
          ['ba', control],
        ],
        'abab',
        { guards: [3] },
      ),
    ).toEqual(['abab'.slice(0, 1), '[ba]', 'b']);
  });
});

describe('white space beside a token', () => {
  test('taken from the left and the right', () => {
    const tokens = [
      ['<l>', control | tokenAttributes.stripLeft],
      ['<r>', control | tokenAttributes.stripRight],
    ] as const;
    expect(cut(tokens, 'a \n<l> b <r>\t c')).toEqual(['a', '[<l>]', ' b ', '[<r>]', 'c']);
    expect(cut(tokens, '<r>  <l>')).toEqual(['[<r>]', '[<l>]']);
    expect(cut(tokens, 'a\u3000<l>')).toEqual(['a\u3000', '[<l>]']);
  });

  test('a white-space token cannot stand where another took the space', () => {
    expect(
      cut(
        [
          ['<r>', control | tokenAttributes.stripRight],
          ['\n', userDefined],
        ],
        '<r>\n\nx\n',
      ),
    ).toEqual(['[<r>]', 'x', '[\n]']);
  });

  const list: SmallToken[] = [['<|end|>', 3], ['<mask>', 3], ['[MASK]', 3], '▁'];
  test.each<[string, Record<string, MetadataValue>, string, string]>([
    ['phi-3 by name', { 'general.name': 'Phi-3 Mini' }, '<|end|>\n x<s> y', '<|end|>x<s> y'],
    ['other names', { 'general.name': 'Else' }, '<|end|>\n x<s> y', '<|end|>\n x<s> y'],
    ['jina by pre-tokenizer', { 'tokenizer.ggml.pre': 'jina-v2-de' }, 'a <mask> b', 'a<mask> b'],
    ['nomic by architecture', { 'general.architecture': 'nomic-bert-moe' }, 'a <mask> b', 'a<mask> b'],
    ['modern-bert by name', { 'general.name': 'modern-bert' }, 'a [MASK] b', 'a[MASK] b'],
  ])('%s', (_, more, text, expected) => {
    const tokenizer = createTokenizer(
      sentencePieceMetadata(list, { ...more, 'tokenizer.ggml.add_space_prefix': false }),
    );
    expect(tokenizer.decode(tokenizer.encode(text, { parseSpecial: true }), { special: true })).toBe(
      expected,
    );
  });
});

/** The reference's way: token after token over all pieces of text. */
function slowCut(tokens: readonly string[], text: string): readonly string[] {
  const utf8 = new TextEncoder();
  const ordered = tokens
    .map((token, id) => ({ token, id, bytes: utf8.encode(token).length }))
    .toSorted((a, b) => b.bytes - a.bytes || a.id - b.id);
  let pieces: (string | number)[] = [text];
  for (const { token, id } of ordered) {
    pieces = pieces.flatMap((piece) =>
      typeof piece === 'number'
        ? [piece]
        : piece.split(token).flatMap((part, index) => (index === 0 ? [part] : [id, part])),
    );
  }
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) => (typeof piece === 'number' ? `[${tokens[piece]}]` : piece));
}

test('any tokens over any text: as token after token', () => {
  const word = (maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom('a', 'b', '好'), minLength: 1, maxLength });
  fc.assert(
    fc.property(fc.uniqueArray(word(4), { minLength: 1, maxLength: 6 }), word(40), (tokens, text) => {
      expect(
        cut(
          tokens.map((token) => [token, control] as const),
          text,
        ),
      ).toEqual(slowCut(tokens, text));
    }),
    { numRuns: 500 },
  );
});

test('thousands of tokens over a long text in linear time', () => {
  const spaces = Array.from({ length: 31 }, (_, index) => [' '.repeat(index + 1), 4] as const);
  const unused = Array.from({ length: 6000 }, (_, index) => [`<unused${index}>`, 3] as const);
  const tokenizer = createTokenizer(bytePairMetadata([['<|endoftext|>', 3], ...spaces, ...unused], []));
  for (const text of [
    ' '.repeat(300_000),
    '<unused'.repeat(40_000),
    'word '.repeat(60_000),
    '<unused77>'.repeat(30_000),
  ]) {
    const startMs = performance.now();
    const ids = tokenizer.encode(text, { parseSpecial: true });
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(tokenizer.decode(ids, { special: true })).toBe(text);
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Metadata, type MetadataValue } from '../../src/gguf/metadata.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { expectCharacters } from '../support/character-cases.ts';
import { readJsonGz, readVocabularyMetadata, trimmedTokenizers } from '../support/tokenizer-cases.ts';
import { type SmallToken, unigramMetadata } from './small-vocabulary.ts';

const metadata = readVocabularyMetadata(trimmedTokenizers, 'unigram');

test('every character of Unicode as the reference has it', () => {
  expectCharacters(createTokenizer(metadata), 'unigram');
});

test.each(['prefix', 'plain'] as const)('the rules of the reference: %s', (rules) => {
  const cases = readJsonGz(`${trimmedTokenizers}unigram-rules.json.gz`) as Record<
    'prefix' | 'plain',
    readonly (readonly number[])[]
  > & { readonly texts: readonly string[] };
  const entries = new Map<string, MetadataValue>(metadata.entries);
  entries.delete('tokenizer.ggml.remove_extra_whitespaces');
  if (rules === 'plain') {
    entries.delete('tokenizer.ggml.add_space_prefix');
    entries.delete('tokenizer.ggml.precompiled_charsmap');
  }
  const tokenizer = createTokenizer(new Metadata(entries));
  expect(cases.texts.length).toBeGreaterThan(100);
  expect(cases.texts.map((text) => Array.from(tokenizer.encode(text)))).toEqual(cases[rules]);
});

describe('the best way', () => {
  test('by the sum of scores, a user-defined token first, unknown characters together', () => {
    const tokenizer = createTokenizer(
      unigramMetadata([
        ['a', 1, -2],
        ['b', 1, -2],
        ['ab', 1, -5],
        ['aab', 1, -4],
        ['bb', 4, -50],
      ]),
    );
    const texts = (text: string): string =>
      Array.from(tokenizer.encode(text), (id) => tokenizer.tokenText(id)).join(' ');
    expect(texts('ab')).toBe('a b');
    expect(texts('aab')).toBe('aab');
    expect(texts('aaab')).toBe('a aab');
    expect(texts('abba')).toBe('a bb a');
    expect(texts('axyzb')).toBe('a <unk> b');
    expect(texts('😀é')).toBe('<unk>');
  });

  test('its score is that of the best of all ways', () => {
    const letter = fc.constantFrom('a', 'b', 'é', '😀');
    const piece = fc.string({ unit: letter, minLength: 1, maxLength: 4 });
    const scored = fc.tuple(piece, fc.integer({ min: -40, max: -1 }));
    fc.assert(
      fc.property(
        fc.uniqueArray(scored, { selector: ([text]) => text, maxLength: 16 }),
        fc.string({ unit: letter, maxLength: 24 }),
        (pieces, text) => {
          const tokens = pieces.map(([each, score]): SmallToken => [each, 1, score]);
          const tokenizer = createTokenizer(unigramMetadata(tokens));
          const scores = new Map(pieces);
          const unknown = pieces.reduce((lowest, [, score]) => Math.min(lowest, score), 0) - 10;
          // Unknown neighbours are one token, so only texts without them tell their score by their ids.
          fc.pre(pieces.length > 0 && Array.from(text).every((each) => scores.has(each)));
          const found = Array.from(tokenizer.encode(text), (id) => tokenizer.tokenText(id));
          expect(found.join('')).toBe(text);
          const sum = found.reduce((total, each) => total + (scores.get(each) ?? Number.NaN), 0);
          expect(sum).toBe(bestScore(Array.from(text), scores, unknown));
        },
      ),
    );
  });

  test('without an end token none is added, with a warning', () => {
    const tokenizer = createTokenizer(
      new Metadata(
        new Map<string, MetadataValue>([
          ['tokenizer.ggml.model', 't5'],
          ['tokenizer.ggml.tokens', ['a']],
        ]),
      ),
    );
    expect(tokenizer).toMatchObject({ eosId: -1, addEos: false, unknownId: -1 });
    expect(tokenizer.warnings).toEqual([expect.stringContaining('end token')]);
    expect(Array.from(tokenizer.encode('aba', { addSpecial: true }))).toEqual([0, 0]);
  });
});

describe('a damaged character map', () => {
  const tokenizerOf = (map: ArrayLike<number>): ReturnType<typeof createTokenizer> =>
    createTokenizer(
      unigramMetadata([['a', 1, -1]], { 'tokenizer.ggml.precompiled_charsmap': Uint8Array.from(map) }),
    );
  const invalid = expect.objectContaining({ code: 'TOKENIZER_INVALID' });

  test.each([
    ['nothing', []],
    ['half a length', [1, 0]],
    ['a length beyond its end', [200, 0, 0, 0, 1, 2, 3]],
    ['a trie without replacements', [4, 0, 0, 0, 0, 0, 0, 0]],
  ])('%s is a typed error', (_, map) => {
    expect(() => tokenizerOf(map)).toThrow(invalid);
  });

  test('a pointer outside the trie is a typed error, at the first text that follows it', () => {
    const tokenizer = tokenizerOf([4, 0, 0, 0, 0, 4, 0, 0, 0x61, 0]);
    expect(() => tokenizer.encode('zzz')).toThrow(invalid);
    expect(() => tokenizer.encode('')).not.toThrow();
  });

  test('any bytes give ids or a typed error, in time', () => {
    const real = metadata.optionalNumbers('tokenizer.ggml.precompiled_charsmap') ?? [];
    const change = fc.tuple(fc.nat(real.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), fc.string({ unit: 'binary' }), (changes, text) => {
        const map = Uint8Array.from(real);
        for (const [at, byte] of changes) map[at] = byte;
        try {
          expect(tokenizerOf(map).encode(text).length).toBeLessThanOrEqual(text.length * 32 + 4096);
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('one that makes a text grow without end is a typed error', () => {
    // Unit 0 leads to unit 1 ^ 'a'; that is a leaf, whose value is the replacement at 0.
    const units = new Uint32Array(256);
    units[0] = 1 << 10;
    units[1 ^ 0x61] = 0x61 | 0x100 | ((1 ^ 0x61 ^ 2) << 10);
    units[2] = 0;
    const replacement = new Uint8Array(1 << 20).fill(0x62);
    replacement[replacement.length - 1] = 0;
    const header = Uint32Array.of(units.byteLength);
    const map = Buffer.concat([header, units, replacement].map((part) => Buffer.from(part.buffer)));
    const tokenizer = tokenizerOf(map);
    expect(() => tokenizer.encode('aaaa')).toThrow(invalid);
    expect(Array.from(tokenizer.encode('zz'))).toEqual([2]);
  });
});

function bestScore(
  characters: readonly string[],
  scores: ReadonlyMap<string, number>,
  unknown: number,
): number {
  const best = [0];
  for (let end = 1; end <= characters.length; end++) {
    let highest = (best[end - 1] as number) + unknown;
    for (let start = 0; start < end; start++) {
      const score = scores.get(characters.slice(start, end).join(''));
      if (score !== undefined) highest = Math.max(highest, (best[start] as number) + score);
    }
    best.push(highest);
  }
  return best[characters.length] as number;
}

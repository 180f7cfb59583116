import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { WordNormalizer } from '../../src/tokenizer/word-normalizer.ts';
import { expectCharacters } from '../support/character-cases.ts';
import { readVocabularyMetadata, trimmedTokenizers } from '../support/tokenizer-cases.ts';
import { wordPieceMetadata } from './small-vocabulary.ts';

const bge = createTokenizer(readVocabularyMetadata(trimmedTokenizers, 'bert-bge'));

test('every character of Unicode as the reference has it', () => expectCharacters(bge, 'bert-bge'));

describe('words', () => {
  const tokenizer = createTokenizer(wordPieceMetadata(['▁un', '▁una', 'able', 'ble', '▁able', '▁!']));
  const texts = (text: string): readonly string[] =>
    Array.from(tokenizer.encode(text), (id) => tokenizer.tokenText(id));

  test.each([
    ['unable', ['▁una', 'ble']],
    ['un able', ['▁un', '▁able']],
    ['unablx', ['[UNK]']],
    ['unablx able', ['[UNK]', '▁able']],
    ['able!able', ['▁able', '▁!', '▁able']],
    ['[SEP]', ['[UNK]', '[UNK]', '[UNK]']],
    ['', []],
  ])('%j by the longest token that fits', (text, expected) => {
    expect(texts(text)).toEqual(expected);
  });

  test('marks stand around a text whatever the keys say', () => {
    const asked = createTokenizer(
      wordPieceMetadata(['▁a'], {
        'tokenizer.ggml.add_bos_token': false,
        'tokenizer.ggml.add_eos_token': true,
      }),
    );
    expect(Array.from(asked.encode('a', { addSpecial: true }))).toEqual([2, 5, 3]);
    expect(asked).toMatchObject({
      separatorId: 3,
      addBos: true,
      addSeparator: true,
      addEos: false,
      warnings: [],
    });
  });

  test('marks that do not exist are left out, with a warning', () => {
    const bare = createTokenizer(
      wordPieceMetadata(['▁a'], {
        'tokenizer.ggml.bos_token_id': -1,
        'tokenizer.ggml.seperator_token_id': 99,
        'tokenizer.ggml.unknown_token_id': -1,
      }),
    );
    expect(Array.from(bare.encode('a b', { addSpecial: true }))).toEqual([5]);
    expect(bare.warnings).toEqual([
      expect.stringContaining('beginning token'),
      expect.stringContaining('separator token'),
    ]);
  });

  test('spaces before punctuation go when decoding', () => {
    expect(bge.decode(bge.encode("Don't you? I do."))).toBe(" don't you? i do.");
    expect(bge.decode(bge.encode("Don't you?"), { cleanSpaces: false })).toBe(" don ' t you ?");
  });

  test('the tree finds what a look-up of every substring finds', () => {
    const alphabet = fc.constantFrom('a', 'b', 'c', '▁', 'é', '😀');
    const word = fc.string({ unit: alphabet, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { maxLength: 20 }),
        fc.string({ unit: fc.oneof(alphabet, fc.constant(' ')), maxLength: 30 }),
        (vocabulary, text) => {
          const rules = {
            'tokenizer.ggml.normalizer.lowercase': false,
            'tokenizer.ggml.normalizer.strip_accents': false,
          };
          const small = createTokenizer(wordPieceMetadata(vocabulary, rules));
          const expected = text
            .split(' ')
            .filter((each) => each !== '')
            .flatMap((each) => longestPieces(`▁${each}`, (piece) => small.idOf(piece)) ?? [1]);
          expect(Array.from(small.encode(text))).toEqual(expected);
        },
      ),
    );
  });
});

describe('normalisation', () => {
  const normalize = (text: string, lowercase = true, stripAccents = true): string =>
    new WordNormalizer({ lowercase, stripAccents }).normalize(text);

  test.each([
    ['Crème BRÛLÉE', ' creme brulee'],
    ['a\u200bb\u0000c\ufffdd', ' abcd'],
    ['a\u0085b\u3000c\ufeffd', ' a b cd'],
    ['x=1+2', ' x = 1 + 2'],
    ['«é€»', ' « e€ »'],
    ['한글', ' ᄒᄀ'],
    ['中a文', ' 中 a 文'],
    ['İI', ' ii'],
  ])('%j', (text, expected) => {
    expect(normalize(text)).toBe(expected);
  });

  test('as the keys say', () => {
    expect(normalize('Élan', false, false)).toBe(' Élan');
    expect(normalize('Élan', true, false)).toBe(' élan');
    expect(normalize('Élan', false, true)).toBe(' Elan');
    const metadata = wordPieceMetadata(['▁É', '▁é', '▁e'], { 'tokenizer.ggml.normalizer.lowercase': false });
    expect(createTokenizer(metadata).tokenText(createTokenizer(metadata).encode('É')[0] ?? -1)).toBe('▁É');
  });
});

/** The reference's rule, the slow way: undefined for a word that has no such pieces. */
function longestPieces(word: string, idOf: (piece: string) => number): readonly number[] | undefined {
  const ids: number[] = [];
  for (let start = 0; start < word.length;) {
    let end = word.length;
    while (end > start && idOf(word.slice(start, end)) === -1) end--;
    if (end === start) return undefined;
    ids.push(idOf(word.slice(start, end)));
    start = end;
  }
  return ids;
}

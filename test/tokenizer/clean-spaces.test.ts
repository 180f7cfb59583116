import { expect, test } from 'vitest';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { cleanSpaces } from '../../src/tokenizer/clean-spaces.ts';
import { bytePairMetadata } from './small-vocabulary.ts';

function clean(text: string): string {
  return new TextDecoder().decode(cleanSpaces(new TextEncoder().encode(text)));
}

test.each([
  ['', ''],
  [' .', '.'],
  ['a . b , c ! d ?', 'a. b, c! d?'],
  ['a  .', 'a .'],
  ['. .. ...', '......'],
  ["a ' b", "a'b"],
  ["a ' ' b", "a'' b"],
  ["it 's I 'm we 're they 've", "it's I'm we're they've"],
  ["do 't he 'd she 'll 'x '", "do 't he 'd she 'll 'x '"],
  ['é ?', 'é?'],
  ['a ; b : c', 'a ; b : c'],
])('%j becomes %j', (text, expected) => {
  expect(clean(text)).toBe(expected);
});

test('as the vocabulary wants, or as the caller says', () => {
  const cleaning = createTokenizer(bytePairMetadata([['<|endoftext|>', 3]], []));
  const keeping = createTokenizer(
    bytePairMetadata([['<|endoftext|>', 3]], [], { 'tokenizer.ggml.pre': 'qwen2' }),
  );
  const ids = cleaning.encode('a ?');
  expect(cleaning.decode(ids)).toBe('a?');
  expect(cleaning.decode(ids, { cleanSpaces: false })).toBe('a ?');
  expect(keeping.decode(ids)).toBe('a ?');
  expect(keeping.decode(ids, { cleanSpaces: true })).toBe('a?');
});

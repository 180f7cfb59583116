import { expect, test } from 'vitest';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { createDetokenizer } from '../../src/tokenizer/detokenizer.ts';
import { bytePairMetadata, sentencePieceMetadata } from './small-vocabulary.ts';

const bytes = createTokenizer(bytePairMetadata([['<|endoftext|>', 3]], []));
const words = createTokenizer(
  sentencePieceMetadata(
    [
      ['▁hi', 1],
      ['end', 1],
    ],
    { 'tokenizer.ggml.eos_token_id': 260, 'tokenizer.ggml.add_eos_token': true },
  ),
);
const hi = words.idOf('▁hi');

test('a character comes out with its last byte', () => {
  const detokenizer = createDetokenizer(bytes);
  const pieces = Array.from(new TextEncoder().encode('a😀é'), (byte) => detokenizer.push(byteId(byte)));
  expect(pieces).toEqual(['a', '', '', '', '😀', '', 'é']);
  expect(detokenizer.flush()).toBe('');
});

test.each([
  ['a lone continuation byte', [0x80, 0x41], ['\ufffd', 'A']],
  ['a cut sequence before a letter', [0xe2, 0x98, 0x41], ['', '', '\ufffdA']],
  ['an overlong form', [0xc0, 0xaf], ['\ufffd', '\ufffd']],
  ['a surrogate', [0xed, 0xa0, 0x80], ['', '\ufffd\ufffd', '\ufffd']],
])('%s', (_, input, expected) => {
  const detokenizer = createDetokenizer(bytes);
  expect(input.map((byte) => detokenizer.push(byteId(byte))).join('')).toBe(expected.join(''));
  expect(bytes.decode(input.map(byteId))).toBe(expected.join(''));
});

test('flush gives up an incomplete character and begins anew', () => {
  const detokenizer = createDetokenizer(bytes);
  expect(detokenizer.push(byteId(0xf0))).toBe('');
  expect(detokenizer.flush()).toBe('\ufffd');
  expect(detokenizer.push(byteId(0x41))).toBe('A');
  expect(detokenizer.flush()).toBe('');
});

test('the leading space is no part of a text, but of a continuation', () => {
  const fresh = createDetokenizer(words);
  expect([fresh.push(hi), fresh.push(hi), fresh.flush()]).toEqual(['hi', ' hi', '']);
  expect([fresh.push(hi), fresh.flush()]).toEqual(['hi', '']);
  const continuing = createDetokenizer(words, { continuation: true });
  expect([continuing.push(hi), continuing.push(hi)]).toEqual([' hi', ' hi']);
});

test('special tokens are left away, or written out', () => {
  const plain = createDetokenizer(words);
  expect([plain.push(words.bosId), plain.push(hi)]).toEqual(['', ' hi']);
  const special = createDetokenizer(words, { special: true });
  expect([special.push(words.bosId), special.push(hi)]).toEqual(['<s>', ' hi']);
});

test('an end token with a text of its own waits for what follows', () => {
  expect(words.eosId).toBe(words.idOf('end'));
  const detokenizer = createDetokenizer(words);
  expect([detokenizer.push(hi), detokenizer.push(words.eosId), detokenizer.push(hi)]).toEqual([
    'hi',
    '',
    'end hi',
  ]);
  expect([detokenizer.push(words.eosId), detokenizer.flush()]).toEqual(['', '']);
  expect(words.decode([hi, words.eosId, hi, words.eosId])).toBe('hiend hi');
});

test('an id outside the vocabulary is a typed error, and the stream goes on', () => {
  const detokenizer = createDetokenizer(bytes);
  expect(() => detokenizer.push(9999)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(detokenizer.push(byteId(0x41))).toBe('A');
});

/** The small vocabulary begins with the 256 bytes in order. */
function byteId(byte: number): number {
  return byte;
}

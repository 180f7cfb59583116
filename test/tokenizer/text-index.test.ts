import fc from 'fast-check';
import { expect, it } from 'vitest';

import { StringList } from '../../src/gguf/string-list.ts';
import { TextIndex } from '../../src/tokenizer/text-index.ts';

it('finds what a Map finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' })),
      fc.array(fc.string({ unit: 'binary' })),
      (texts, others) => {
        const expected = new Map(texts.map((text, place) => [text, place]));
        const index = new TextIndex(StringList.from(texts));
        for (const text of [...texts, ...others]) expect(index.placeOf(text)).toBe(expected.get(text) ?? -1);
      },
    ),
  );
});

it('finds no half of a surrogate pair', () => {
  const index = new TextIndex(StringList.from(['\ufffd', 'a\u{1f600}']));
  expect(['\ufffd', '\ud83d', 'a\ud83d', 'a\u{1f600}'].map((text) => index.placeOf(text))).toEqual([
    0, -1, -1, 1,
  ]);
});

it('gives the last place of equal texts', () => {
  expect(new TextIndex(StringList.from(['a', 'b', 'a'])).placeOf('a')).toBe(2);
});

it('finds nothing in an empty list', () => {
  expect(new TextIndex(StringList.from([])).placeOf('')).toBe(-1);
});

it('keeps a large vocabulary apart', () => {
  const texts = Array.from({ length: 300_000 }, (_, place) => `▁${place.toString(36)}`);
  const index = new TextIndex(StringList.from(texts));
  expect(texts.every((text, place) => index.placeOf(text) === place)).toBe(true);
  expect(index.placeOf('▁')).toBe(-1);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { StringList, stringListOf } from '../../src/gguf/string-list.ts';

const wellFormed = fc.string({ unit: 'grapheme-composite' });

it('gives the texts that it was made from, one by one and all together', () => {
  fc.assert(
    fc.property(fc.array(wellFormed), (texts) => {
      const list = StringList.from(texts);
      expect(list).toHaveLength(texts.length);
      expect([...list]).toEqual(texts);
      expect(texts.map((_, index) => list.at(index))).toEqual(texts);
    }),
  );
});

it('reads more texts than it decodes at once', () => {
  const texts = Array.from(
    { length: 20_000 },
    (_, index) => 'Ġ▁é\u{1f600}'.repeat(index % 7) + String(index),
  );
  expect([...StringList.from(texts)]).toEqual(texts);
});

it('gives what a decoder gives of each text, whatever its bytes are', () => {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const smallBytes = fc.uint8Array({ maxLength: 4 });
  const cutCharacter = fc.constantFrom('é', '▁', '\u{1f600}').chain((character) => {
    const bytes = new TextEncoder().encode(character);
    return fc.nat(bytes.length).map((at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          smallBytes.map((bytes) => [bytes]),
          cutCharacter,
        ),
      ),
      (groups) => {
        const pieces = groups.flat();
        const bytes = Uint8Array.from(pieces.flatMap((piece) => Array.from(piece)));
        let end = 0;
        const ends = Uint32Array.from(pieces, (piece) => (end += piece.length));
        const list = stringListOf(bytes, ends);
        const expected = pieces.map((piece) => decoder.decode(piece));
        expect([...list]).toEqual(expected);
        expect(expected.map((_, index) => list.at(index))).toEqual(expected);
      },
    ),
  );
});

it('knows its longest and its shortest text', () => {
  const list = StringList.from(['ab', '▁▁', '', 'abc']);
  expect([list.longestBytes, list.shortestBytes]).toEqual([6, 0]);
  expect(StringList.from(['ab', 'c']).shortestBytes).toBe(1);
  expect(StringList.from([])).toMatchObject({ longestBytes: 0, shortestBytes: Infinity });
});

it('has nothing outside', () => {
  expect(() => StringList.from(['a']).at(1)).toThrow(RangeError);
  expect(() => StringList.from([]).at(0)).toThrow(RangeError);
});

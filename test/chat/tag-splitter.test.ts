import fc from 'fast-check';
import { expect, it } from 'vitest';

import { TagSplitter } from '../../src/chat/tag-splitter.ts';

/** Everything that comes out, with the markers in brackets. */
function split(markers: readonly string[], pieces: readonly string[]): string {
  const splitter = new TagSplitter(markers);
  let result = '';
  for (const piece of pieces) {
    let rest = piece;
    for (;;) {
      const { before, found } = splitter.push(rest);
      result += before;
      if (found === undefined) break;
      result += `[${found}]`;
      rest = splitter.flush();
    }
  }
  return result + splitter.flush();
}

it('finds markers over the borders of pieces and loses nothing', () => {
  const piece = fc.constantFrom('<a>', '<b>', '<', 'a', '>', '<a', 'b>', '<<', 'x', '🎉');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
      const text = pieces.join('');
      const expected = text.replace(/<a>|<b>/g, '[$&]');
      expect(split(['<a>', '<b>'], pieces)).toBe(expected);
      expect(split(['<a>', '<b>'], Array.from(text))).toBe(expected);
    }),
  );
});

it('holds back only what may become a marker', () => {
  const splitter = new TagSplitter(['<think>', '</think>']);
  expect(splitter.push('one <thin')).toEqual({ before: 'one ', found: undefined });
  expect(splitter.push('g')).toEqual({ before: '<thing', found: undefined });
  expect(splitter.push('</think')).toEqual({ before: '', found: undefined });
  expect(splitter.push('> x')).toEqual({ before: '', found: '</think>' });
  expect(splitter.flush()).toBe(' x');
});

it('takes back what it has looked at', () => {
  const splitter = new TagSplitter(['<think>']);
  splitter.push('<th');
  splitter.push('e');
  expect(splitter.unread()).toBe('<the');
  expect(splitter.flush()).toBe('');
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createStopText } from '../../src/generate/stop-text.ts';

function run(stops: string[], pieces: string[]): { text: string; stop: string | undefined } {
  const stopText = createStopText(stops);
  let text = '';
  for (const piece of pieces) {
    const result = stopText.push(piece);
    text += result.text;
    if (result.stopped) return { text, stop: result.stop };
  }
  return { text: text + stopText.flush(), stop: undefined };
}

describe('createStopText', () => {
  test('holds back what may become a stop text, and no more', () => {
    const stopText = createStopText(['\n\nUser:']);
    expect(stopText.push('Hello\n')).toEqual({ text: 'Hello', stopped: false });
    expect(stopText.push('\nUs')).toEqual({ text: '', stopped: false });
    expect(stopText.push('ually\n')).toEqual({ text: '\n\nUsually', stopped: false });
    expect(stopText.push('\nUser: x')).toEqual({ text: '', stopped: true, stop: '\n\nUser:' });
    expect(stopText.push('more')).toEqual({ text: '', stopped: true });
    expect(stopText.flush()).toBe('');
  });

  test('gives back what it held when the text ends on its own', () => {
    expect(run(['</s>'], ['a <', '/s'])).toEqual({ text: 'a </s', stop: undefined });
  });

  test('the text that is complete first wins, the longer of two that end together', () => {
    expect(run(['abcd', 'bc'], ['xabcd'])).toEqual({ text: 'xa', stop: 'bc' });
    expect(run(['bc', 'abc'], ['xabcd'])).toEqual({ text: 'x', stop: 'abc' });
    expect(run([], ['any', 'thing'])).toEqual({ text: 'anything', stop: undefined });
  });

  test('does what a search in the whole text does, however it is cut', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '\ud83d'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 3 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 5 }), { maxLength: 12 }),
        (stops, pieces) => {
          const whole = pieces.join('');
          const ends = stops
            .map((stop) => ({ stop, start: whole.indexOf(stop) }))
            .filter(({ start }) => start >= 0)
            .map(({ stop, start }) => ({ stop, start, end: start + stop.length }))
            .sort((left, right) => left.end - right.end || left.start - right.start);
          const expected = ends[0];
          expect(run(stops, pieces)).toEqual({
            text: expected === undefined ? whole : whole.slice(0, expected.start),
            stop: expected?.stop,
          });
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('whatever is held back is the beginning of a stop text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 })),
        (stop, pieces) => {
          const stopText = createStopText([stop]);
          let given = '';
          let shown = '';
          for (const piece of pieces) {
            given += piece;
            const { text, stopped } = stopText.push(piece);
            shown += text;
            if (stopped) return;
            const held = given.slice(shown.length);
            expect(held.length < stop.length && stop.startsWith(held)).toBe(true);
          }
        },
      ),
    );
  });

  test.each([
    ['an empty text', ['']],
    ['a number', [5 as unknown as string]],
    ['too many', Array.from({ length: 257 }, (_, index) => `${index}`)],
    ['one too long', ['x'.repeat(4097)]],
  ])('refuses %s', (_, stops) => {
    expect(() => createStopText(stops)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

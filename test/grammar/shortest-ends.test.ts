import { describe, expect, it } from 'vitest';

import { createAutomaton } from '../../src/grammar/automaton.ts';
import type { Grammar } from '../../src/grammar/grammar.ts';
import { ParseStates } from '../../src/grammar/parse-states.ts';
import type { ParseState } from '../../src/grammar/parse-states.ts';
import { readGbnf } from '../../src/grammar/read-gbnf.ts';
import { regexGrammar } from '../../src/grammar/regex-grammar.ts';
import { schemaGrammar } from '../../src/grammar/schema/schema-grammar.ts';
import { ShortestEnds } from '../../src/grammar/shortest-ends.ts';
import { createTokenTrie } from '../../src/grammar/token-trie.ts';

const encoder = new TextEncoder();
const singles = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
/** After the longest of `{"ab` come three tokens, after a shorter one two. */
const pieces = ['{"', '{"ab', '"a', 'b":', 'ab":', '":', '":"', '"}', ']}', '  ', 'xyz', 'yzx', 'é'];
const vocabulary = [...singles, ...pieces.map((piece) => encoder.encode(piece))];
const trie = createTokenTrie(vocabulary.length, (id) => vocabulary[id]!);

const grammars: Record<string, Grammar> = {
  object: schemaGrammar({
    type: 'object',
    properties: {
      ab: { type: 'string', minLength: 3, maxLength: 6 },
      list: { type: 'array', items: { enum: ['é', 1, null] }, minItems: 1, maxItems: 3 },
    },
    required: ['ab'],
    additionalProperties: false,
  }).grammar,
  regex: regexGrammar('(xyz|é){2,5}-[0-9]{2}|a{9,}b'),
  nested: readGbnf('root ::= "(" ("<" item ">" | "abcdef") ")"\nitem ::= "x"{5,9} | "é" root'),
};

/** Fewest bytes to an end, found by going everywhere. */
function nearest(states: ParseStates, from: ParseState): number {
  let front = new Set([from]);
  for (let bytes = 0; bytes < 100; bytes += 1) {
    const next = new Set<ParseState>();
    for (const state of front) {
      if (state.accepts) return bytes;
      for (let byte = 0; byte < 256; byte += 1) {
        const after = states.next(state, byte);
        if (after !== null) next.add(after);
      }
    }
    front = next;
  }
  throw new Error('no end');
}

/** Fewest tokens for a text, found by trying all ways to divide it. */
function fewest(text: readonly number[]): number {
  const counts = [0];
  for (let end = 1; end <= text.length; end += 1) {
    const ways = vocabulary
      .filter(
        (token) => token.length <= end && token.every((byte, at) => byte === text[end - token.length + at]),
      )
      .map((token) => counts[end - token.length]! + 1);
    counts.push(Math.min(...ways));
  }
  return counts.at(-1)!;
}

describe.each(Object.entries(grammars))('the shortest end of a text: %s', (_, grammar) => {
  it('has the fewest bytes, in the fewest tokens, wherever it begins', () => {
    const states = new ParseStates(createAutomaton(grammar));
    const ends = new ShortestEnds(states, trie);
    let random = 11;
    for (let run = 0; run < 15; run += 1) {
      let state = states.start();
      for (let step = 0; step < 12; step += 1) {
        const ids = ends.tokens(state, 1000)!;
        const text = ids.flatMap((id) => [...vocabulary[id]!]);
        expect(text).toHaveLength(nearest(states, state));
        expect(ids).toHaveLength(fewest(text));
        let end: ParseState | null = state;
        for (const byte of text) end = end && states.next(end, byte);
        expect(end?.accepts).toBe(true);
        for (const most of [-1, 0, ids.length - 1, ids.length, text.length, 1000]) {
          expect(ends.fits(state, most)).toBe(most >= ids.length);
        }
        expect(ends.tokens(state, ids.length - 1)).toBeUndefined();

        const onward = singles.flatMap((__, byte) => states.next(state, byte) ?? []);
        if (onward.length === 0) break;
        random = (random * 1103515245 + 12345) % 2147483648;
        state = onward[(random >> 8) % onward.length]!;
      }
    }
  });
});

it('is none where the vocabulary lacks what it needs', () => {
  const states = new ParseStates(createAutomaton(readGbnf('root ::= "ab" "c"')));
  const letters = createTokenTrie(2, (id) => Uint8Array.of(0x61 + id));
  const ends = new ShortestEnds(states, letters);
  expect([ends.fits(states.start(), 2), ends.tokens(states.start(), 2)]).toEqual([false, undefined]);
  expect(ends.tokens(states.start(), 1000)).toBeUndefined();
});

it('that is far too long is not looked for', () => {
  const states = new ParseStates(createAutomaton(readGbnf('root ::= "a"{500000}')));
  const ends = new ShortestEnds(states, trie);
  const start = performance.now();
  expect([ends.fits(states.start(), 400_000), ends.fits(states.start(), 100)]).toEqual([false, false]);
  expect(performance.now() - start).toBeLessThan(1000);
});

import { describe, expect, it } from 'vitest';

import { GrammarEngine } from '../../src/grammar/grammar-engine.ts';
import type { Grammar } from '../../src/grammar/grammar.ts';
import { readGbnf } from '../../src/grammar/read-gbnf.ts';
import { schemaGrammar } from '../../src/grammar/schema/schema-grammar.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { bytePairMetadata, sentencePieceMetadata } from '../tokenizer/small-vocabulary.ts';
import { acceptor } from './accepts.ts';

const pieces = [
  '{"',
  '":',
  '": "',
  '",',
  '"}',
  'name',
  'na',
  'me',
  'true',
  'tr',
  '123',
  '12',
  '  ',
  'ab"',
  'x'.repeat(30),
  'é',
  'lit',
];

/** Words of several characters as tokens, which no merges make: masks look at texts only. */
const byteLevel = createTokenizer(
  bytePairMetadata([['<|end|>', 3], ['<mark>', 3], ...pieces.map((piece) => [spell(piece), 1] as const)], []),
);
const escaped = createTokenizer(
  sentencePieceMetadata(pieces.map((piece) => [piece.replaceAll(' ', '\u2581'), 1] as const)),
);

function spell(piece: string): string {
  return piece.replaceAll(' ', 'Ġ').replaceAll('é', 'Ã©');
}

function allowedIds(mask: Int32Array): number[] {
  const ids: number[] = [];
  mask.forEach((word, index) => {
    for (let bit = 0; bit < 32; bit += 1) if ((word >>> bit) & 1) ids.push(index * 32 + bit);
  });
  return ids;
}

const grammars: Record<string, Grammar> = {
  json: schemaGrammar({
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 35 },
      n: { type: 'array', items: { type: 'integer' }, maxItems: 30 },
    },
    required: ['name'],
    additionalProperties: false,
  }).grammar,
  any: schemaGrammar(true).grammar,
  lists: readGbnf('root ::= ("x" | "é"){3,40} ("," root)? | "name"'),
};

/** Prefixes that may still become a text of the grammar, judged token by token without masks. */
function mayFollow(
  tokenizer: Tokenizer,
  prefix: Uint8Array,
  id: number,
  isPrefix: (bytes: Uint8Array) => boolean,
): boolean {
  const piece = tokenizer.tokenBytes(id);
  if (piece.length === 0) return false;
  const joined = new Uint8Array(prefix.length + piece.length);
  joined.set(prefix);
  joined.set(piece, prefix.length);
  return isPrefix(joined);
}

describe.each([
  ['byte-level', byteLevel],
  ['with escaped spaces', escaped],
])('masks of a vocabulary %s', (_, tokenizer) => {
  it.each(Object.keys(grammars))('allow exactly the tokens that can follow: %s', (name) => {
    const engine = new GrammarEngine(tokenizer);
    const grammar = grammars[name]!;
    const accepts = acceptor(grammar);
    const compiled = engine.compile(name, () => grammar);
    const isPrefix = (bytes: Uint8Array): boolean => {
      let state = compiled.states.start();
      for (const byte of bytes) {
        const next = compiled.states.next(state, byte);
        if (next === null) return false;
        state = next;
      }
      return true;
    };
    let random = 7;
    for (let run = 0; run < 12; run += 1) {
      const mask = engine.mask(name, () => grammar);
      let prefix = new Uint8Array(0);
      for (let step = 0; step < 25 && !mask.finished; step += 1) {
        const allowed = allowedIds(mask.next());
        const expected = Array.from({ length: tokenizer.vocabularySize }, (__, id) => id).filter((id) =>
          tokenizer.endIds.has(id)
            ? accepts(new TextDecoder().decode(prefix))
            : mayFollow(tokenizer, prefix, id, isPrefix),
        );
        expect(allowed).toEqual(expected);
        const words = allowed.filter((id) => !tokenizer.endIds.has(id));
        if (words.length === 0) break;
        random = (random * 1103515245 + 12345) % 2147483648;
        // Longer tokens are rare: they are taken when they can be, every other time.
        const long = words.filter((id) => tokenizer.tokenBytes(id).length > 1);
        const from = long.length > 0 && random % 2 === 0 ? long : words;
        const id = from[random % from.length]!;
        mask.accept(id);
        const piece = tokenizer.tokenBytes(id);
        const joined = new Uint8Array(prefix.length + piece.length);
        joined.set(prefix);
        joined.set(piece, prefix.length);
        prefix = joined;
      }
    }
  });
});

describe('an output near its limit', () => {
  const engine = new GrammarEngine(byteLevel);
  const follow = (text: string): ReturnType<GrammarEngine['mask']> => {
    const mask = engine.mask('json', () => grammars['json']!);
    for (const id of byteLevel.encode(text)) mask.accept(id);
    return mask;
  };

  const quote = byteLevel.idOf('"}');
  const letter = byteLevel.idOf('a');
  const long = byteLevel.idOf('x'.repeat(30));

  it('gets the shortest end, in time and not before', () => {
    const mask = follow('{"name": "ab');
    expect(mask.close(letter, 1000)).toBeUndefined();
    expect(mask.close(letter, 2)).toBeUndefined();
    expect(mask.close(letter, 1)).toEqual([quote]);
  });

  it('may take what ends it by itself, up to the last token', () => {
    const mask = follow('{"name": "ab');
    expect(mask.close(quote, 1)).toBeUndefined();
    expect(mask.close(long, 2)).toBeUndefined();
  });

  it('has its needed parts', () => {
    const mask = follow('{');
    const end = mask.close(byteLevel.idOf('Ġ'), 6) ?? [];
    expect(JSON.parse(`{${byteLevel.decode(end)}`)).toEqual({ name: ' ' });
  });

  it('goes on as it likes where no end fits any more', () => {
    const mask = follow('{');
    for (const left of [0, 1, 2, 3]) expect(mask.close(byteLevel.idOf('"'), left)).toBeUndefined();
  });

  it('is left alone when asked to', () => {
    const mask = engine.mask('json', () => grammars['json']!, { closes: false });
    expect(mask.close(byteLevel.idOf('{'), 1)).toBeUndefined();
  });
});

it('a vocabulary that is prepared with pauses is the same', async () => {
  const engine = new GrammarEngine(byteLevel);
  let pauses = 0;
  await engine.prepare(async () => {
    pauses += 1;
  });
  expect(pauses).toBeGreaterThan(0);
  const other = new GrammarEngine(byteLevel);
  const next = (each: GrammarEngine): Int32Array => each.mask('json', () => grammars['json']!).next();
  expect(next(engine)).toEqual(next(other));
});

describe('markers', () => {
  const grammar = readGbnf('root ::= "<mark>" [a-z]+');

  it('are tokens of a grammar when they are named', () => {
    const mark = byteLevel.idOf('<mark>');
    const visible = new GrammarEngine(byteLevel, { visible: new Set([mark]) });
    expect(allowedIds(visible.mask('mark', () => grammar).next())).toContain(mark);
    const hidden = new GrammarEngine(byteLevel);
    expect(allowedIds(hidden.mask('mark', () => grammar).next())).not.toContain(mark);
  });
});

it('a vocabulary without a needed character is an error that says so', () => {
  const tokenizer: Tokenizer = {
    ...proxied(byteLevel),
    tokenBytes: (id) => (id === 0x41 ? new Uint8Array([0x41]) : new Uint8Array(0)),
  };
  const engine = new GrammarEngine(tokenizer);
  expect(() => engine.mask('x', () => readGbnf('root ::= "b"')).next()).toThrow(
    expect.objectContaining({ code: 'GRAMMAR_STUCK' }),
  );
});

function proxied(tokenizer: Tokenizer): Tokenizer {
  return {
    kind: tokenizer.kind,
    vocabularySize: tokenizer.vocabularySize,
    bosId: -1,
    eosId: -1,
    unknownId: -1,
    paddingId: -1,
    endIds: tokenizer.endIds,
    addBos: false,
    addEos: false,
    controlTexts: [],
    encode: (text, options) => tokenizer.encode(text, options),
    decode: (ids, options) => tokenizer.decode(ids, options),
    tokenBytes: (id, special) => tokenizer.tokenBytes(id, special),
    tokenText: (id) => tokenizer.tokenText(id),
    isSpecial: (id) => tokenizer.isSpecial(id),
    idOf: (text) => tokenizer.idOf(text),
  };
}

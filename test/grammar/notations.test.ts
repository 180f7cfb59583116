import { describe, expect, it } from 'vitest';

import { readGbnf } from '../../src/grammar/read-gbnf.ts';
import { regexGrammar } from '../../src/grammar/regex-grammar.ts';
import { createAutomaton } from '../../src/grammar/automaton.ts';
import { acceptor } from './accepts.ts';

describe('regular expressions match the whole output as JavaScript does', () => {
  const texts = [
    '',
    'a',
    'b',
    'ab',
    'abc',
    'aab',
    'aaa',
    '12',
    '1a',
    ' ',
    'é',
    'ÉX',
    '😀',
    'a\nb',
    'a-b',
    'foo bar',
    '$5',
    'x{2}',
    '\\',
  ];
  it.each([
    'a*',
    'a+b?',
    '(ab|a)c?',
    '[^a]',
    '[a-c]{2,3}',
    'a{2}',
    'a{2,}',
    String.raw`\d+|\w\s?\w*`,
    '.',
    '.*',
    String.raw`[\w-]+`,
    String.raw`\u00e9|\xc9X`,
    String.raw`\p{Lu}+`,
    String.raw`\$\d|x\{2\}`,
    '(?:a|b)+?',
    '(?<name>foo) bar',
    '^a$|^b$',
    '[\\]\\\\]',
    String.raw`\S+`,
    '(?=a).*',
    '',
  ])('%s', (pattern) => {
    if (pattern.startsWith('(?=')) {
      expect(() => regexGrammar(pattern)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
      return;
    }
    const accepts = acceptor(regexGrammar(pattern));
    const expected = new RegExp(`^(?:${pattern})$`, 'u');
    for (const text of texts) {
      expect({ text, accepted: accepts(text) }).toEqual({ text, accepted: expected.test(text) });
    }
  });

  it.each(['(', ')', '[a', 'a{3,2}', '*', '[z-a]', String.raw`\u{110000}`, String.raw`\p{Nonsense}`, 'a\\'])(
    'GRAMMAR_INVALID: %s',
    (pattern) => {
      expect(() => regexGrammar(pattern)).toThrow(expect.objectContaining({ code: 'GRAMMAR_INVALID' }));
    },
  );

  it.each([String.raw`\bword`, String.raw`(a)\1`, '(?<=a)b', 'a(?!b)'])('UNSUPPORTED: %s', (pattern) => {
    expect(() => regexGrammar(pattern)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  it('GRAMMAR_TOO_LARGE: a pattern that explodes', () => {
    expect(() => regexGrammar('(a|b)*a(a|b){18}')).toThrow(
      expect.objectContaining({ code: 'GRAMMAR_TOO_LARGE' }),
    );
  });
});

describe('GBNF', () => {
  it('of the usual kind', () => {
    const accepts = acceptor(
      readGbnf(`# a list
root   ::= item ("," ws item)*   # of items
item   ::= [a-z_]+ | "\\"" [^"\\\\\\x00-\\x1f]* "\\"" |
           number
number ::= "-"? ("0" | [1-9] [0-9]{0,2}) ("." [0-9]+)?
ws     ::= " "?
`),
    );
    for (const text of ['abc', 'a,b', 'a, b_c, "x y", -12.5', '"ü😀"', '0']) {
      expect({ text, accepted: accepts(text) }).toEqual({ text, accepted: true });
    }
    for (const text of ['', 'A', 'a,', 'a,  b', '1234', '01', '"a']) {
      expect({ text, accepted: accepts(text) }).toEqual({ text, accepted: false });
    }
  });

  it('recursion, counted repetitions and any character', () => {
    const accepts = acceptor(readGbnf('root ::= "(" root ")" | x{2,6}\nx ::= "\\u00e4" | .'));
    expect(['((ab))', 'ää', '(abcdef)', 'a', '((abcdefg))', '(ab'].map(accepts)).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it.each([
    ['', 'no rule'],
    ['root = "a"', ''],
    ['root ::= "a', 'too early'],
    ['root ::= [z-a]', 'out of order'],
    ['root ::= "a" )', ''],
    ['root ::= "a"\nroot ::= "b"', 'second rule'],
    ['root ::= "a"{}', 'repetition'],
    ['a ::= "x"', 'no rule "root"'],
  ])('GRAMMAR_INVALID: %j', (source, message) => {
    expect(() => readGbnf(source)).toThrow(
      expect.objectContaining({ code: 'GRAMMAR_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ['root ::= other', 'defined'],
    ['root ::= root "a" | "b"', 'begins with itself'],
    ['root ::= a\na ::= b? root', 'begins with itself'],
    ['root ::= root', 'begins with itself'],
    ['root ::= "a" root', 'some text matches'],
    ['root ::= ("a"?){5,9}', 'has characters'],
  ])('GRAMMAR_INVALID when it is compiled: %j', (source, message) => {
    const grammar = readGbnf(source.includes('b?') ? `${source}\nb ::= "b"` : source);
    expect(() => createAutomaton(grammar)).toThrow(
      expect.objectContaining({ code: 'GRAMMAR_INVALID', message: expect.stringContaining(message) }),
    );
  });
});

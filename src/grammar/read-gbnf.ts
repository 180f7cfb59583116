import { RivuletError } from '../errors.ts';
import { grammarLimits } from './grammar-limits.ts';
import {
  characters,
  choice,
  invertRanges,
  lastCodePoint,
  normalizeRanges,
  repeat,
  rootRule,
  rule,
  sequence,
  text,
} from './grammar.ts';
import type { CodePointRanges, Grammar, GrammarNode } from './grammar.ts';

/**
 * Reads a grammar in llama.cpp's GBNF, or in the EBNF of xgrammar without its look-aheads and tags: rules
 * `name ::= …` of texts, classes, groups, alternatives and repetitions, with `#` comments.
 * @throws {RivuletError} `GRAMMAR_INVALID` with the line, `GRAMMAR_TOO_LARGE`
 */
export function readGbnf(source: string): Grammar {
  if (source.length > grammarLimits.sourceLength) {
    throw new RivuletError(
      'GRAMMAR_TOO_LARGE',
      `Expected a grammar of at most ${grammarLimits.sourceLength} characters, found ${source.length}.`,
    );
  }
  return new GbnfReader(source).read();
}

const escapes: Readonly<Record<string, string | undefined>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  b: '\b',
  v: '\v',
  '0': '\0',
};
const hexadecimalLengths: Readonly<Record<string, number | undefined>> = { x: 2, u: 4, U: 8 };

class GbnfReader {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = [...source];
  }

  read(): Grammar {
    const rules = new Map<string, GrammarNode>();
    this.#skip(true);
    while (this.#at < this.#characters.length) {
      const name = this.#name();
      this.#skip(true);
      for (const character of '::=') this.#expect(character);
      this.#skip(true);
      if (rules.has(name)) throw this.#invalid(`a second rule "${name}"`);
      rules.set(name, this.#alternatives(false));
      this.#skip(true);
    }
    if (!rules.has(rootRule)) throw this.#invalid(`no rule "${rootRule}"`);
    return rules;
  }

  /** Inside of parentheses lines may end anywhere; outside a line that begins with a rule's name ends the rule. */
  #alternatives(nested: boolean): GrammarNode {
    this.#depth += 1;
    if (this.#depth > grammarLimits.depth) throw this.#invalid('groups nested too deep');
    const items = [this.#sequence(nested)];
    for (;;) {
      this.#skip(nested || this.#continues());
      if (this.#peek() !== '|') break;
      this.#at += 1;
      this.#skip(true);
      items.push(this.#sequence(nested));
    }
    this.#depth -= 1;
    return choice(...items);
  }

  #sequence(nested: boolean): GrammarNode {
    const items: GrammarNode[] = [];
    for (;;) {
      this.#skip(nested || this.#continues());
      const next = this.#peek();
      if (next === undefined || next === '|' || next === ')' || next === '\n' || next === '\r') break;
      items.push(this.#repeated(this.#element()));
    }
    return sequence(...items);
  }

  /** Whether the text behind a line's end still belongs to this rule. */
  #continues(): boolean {
    const start = this.#at;
    this.#skip(true);
    const isEnd = this.#peek() === undefined;
    let isRule = false;
    if (!isEnd && isNamePart(this.#peek()!)) {
      this.#name();
      this.#skip(true);
      isRule = this.#characters.slice(this.#at, this.#at + 3).join('') === '::=';
    }
    this.#at = start;
    return !isEnd && !isRule;
  }

  #element(): GrammarNode {
    const next = this.#peek()!;
    if (next === '"') return text(this.#literal());
    if (next === '[') return characters(this.#class());
    if (next === '(') {
      this.#at += 1;
      if (this.#peek() === '=') throw this.#invalid('a look-ahead, which is not known here');
      this.#skip(true);
      const inside = this.#alternatives(true);
      this.#skip(true);
      this.#expect(')');
      return inside;
    }
    if (next === '.') {
      this.#at += 1;
      return characters([[0, lastCodePoint]]);
    }
    if (isNamePart(next)) return rule(this.#name());
    throw this.#invalid(`"${next}"`);
  }

  #repeated(first: GrammarNode): GrammarNode {
    let item = first;
    for (;;) {
      this.#skip(false);
      const next = this.#peek();
      if (next === '*') item = repeat(item, 0);
      else if (next === '+') item = repeat(item, 1);
      else if (next === '?') item = repeat(item, 0, 1);
      else if (next === '{') {
        item = this.#counted(item);
        continue;
      } else return item;
      this.#at += 1;
    }
  }

  #counted(item: GrammarNode): GrammarNode {
    const rest = this.#characters.slice(this.#at, this.#at + 40).join('');
    const found = /^\{\s*(\d{1,7})?\s*(,\s*(\d{1,7})?\s*)?\}/.exec(rest);
    if (found === null || (found[1] === undefined && found[3] === undefined)) {
      throw this.#invalid('a repetition that is none of {m}, {m,}, {,n} and {m,n}');
    }
    this.#at += found[0].length;
    const minimum = Number(found[1] ?? 0);
    const maximum = found[2] === undefined ? minimum : found[3] === undefined ? Infinity : Number(found[3]);
    if (maximum < minimum) throw this.#invalid('a repetition whose bounds are out of order');
    return repeat(item, minimum, maximum);
  }

  #literal(): string {
    this.#at += 1;
    let value = '';
    while (this.#peek() !== '"') value += this.#character();
    this.#at += 1;
    return value;
  }

  #class(): CodePointRanges {
    this.#at += 1;
    const isNegative = this.#peek() === '^';
    if (isNegative) this.#at += 1;
    const ranges: (readonly [number, number])[] = [];
    while (this.#peek() !== ']') {
      const first = this.#character().codePointAt(0)!;
      if (this.#peek() === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at += 1;
        const last = this.#character().codePointAt(0)!;
        if (last < first) throw this.#invalid('a range of characters that is out of order');
        ranges.push([first, last]);
      } else ranges.push([first, first]);
    }
    this.#at += 1;
    return isNegative ? invertRanges(ranges) : normalizeRanges(ranges);
  }

  /** One character of a text or class, escaped or not. */
  #character(): string {
    const character = this.#next();
    if (character === '\n') throw this.#invalid('the end of a line inside of a text or class');
    if (character !== '\\') return character;
    const letter = this.#next();
    const length = hexadecimalLengths[letter];
    if (length === undefined) return escapes[letter] ?? letter;
    const digits = this.#characters.slice(this.#at, this.#at + length).join('');
    const codePoint = Number.parseInt(digits, 16);
    if (!/^[0-9a-f]+$/i.test(digits) || digits.length < length || codePoint > lastCodePoint) {
      throw this.#invalid(`a bad \\${letter}`);
    }
    this.#at += length;
    return String.fromCodePoint(codePoint);
  }

  #name(): string {
    let name = '';
    for (let next = this.#peek(); next !== undefined && isNamePart(next); next = this.#peek()) {
      name += next;
      this.#at += 1;
    }
    if (name === '') throw this.#invalid(`"${this.#peek() ?? 'the end'}" instead of the name of a rule`);
    return name;
  }

  /** Spaces and comments; ends of lines only where they mean nothing. */
  #skip(lines: boolean): void {
    for (;;) {
      const next = this.#peek();
      if (next === ' ' || next === '\t' || (lines && (next === '\n' || next === '\r'))) this.#at += 1;
      else if (next === '#') while (this.#peek() !== undefined && this.#peek() !== '\n') this.#at += 1;
      else return;
    }
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#invalid('its end too early');
    this.#at += 1;
    return character;
  }

  #expect(character: string): void {
    if (this.#next() !== character) throw this.#invalid(`something else than "${character}"`);
  }

  #invalid(found: string): RivuletError {
    const line = this.#characters.slice(0, this.#at).filter((each) => each === '\n').length + 1;
    return new RivuletError(
      'GRAMMAR_INVALID',
      `Expected a grammar in GBNF, found ${found} in line ${line}.`,
      {
        details: { line },
      },
    );
  }
}

function isNamePart(character: string): boolean {
  return /[A-Za-z0-9_-]/.test(character);
}

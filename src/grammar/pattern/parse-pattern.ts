import { RivuletError } from '../../errors.ts';
import { grammarLimits } from '../grammar-limits.ts';
import { invertRanges, lastCodePoint, normalizeRanges } from '../grammar.ts';
import type { CodePointRanges } from '../grammar.ts';
import { classEscape, controlEscapes, propertyRanges } from './character-classes.ts';
import type { Pattern, PatternNode } from './pattern-node.ts';

/**
 * Reads a regular expression of JavaScript (ECMA-262, the dialect of JSON Schema).
 * @throws {RivuletError} `GRAMMAR_INVALID` for errors of syntax; `UNSUPPORTED` for what is no regular language or not
 *   decided here: references to groups, looks behind or in the middle, word borders
 */
export function parsePattern(source: string): Pattern {
  if (source.length > grammarLimits.sourceLength) {
    throw new RivuletError(
      'GRAMMAR_TOO_LARGE',
      `Expected a pattern of at most ${grammarLimits.sourceLength} characters, found ${source.length}.`,
    );
  }
  return new PatternParser(source).parse();
}

const anyCharacter = invertRanges([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);

class PatternParser {
  readonly #source: string;
  readonly #characters: readonly string[];
  readonly #lookaheads: { node: PatternNode; negative: boolean }[] = [];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#characters = [...source];
  }

  parse(): Pattern {
    this.#skipStart();
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#invalid('a closing ")" that nothing opened');
    return { node, lookaheads: this.#lookaheads };
  }

  /** Looks ahead from the very beginning, which every text that matches passes. */
  #skipStart(): void {
    const anchored = this.#characters[0] === '^' && this.#peek(1) === '(' && this.#peek(2) === '?';
    const begin = anchored ? 1 : 0;
    this.#at = begin;
    let found = false;
    while (this.#peek() === '(' && this.#peek(1) === '?' && '=!'.includes(this.#peek(2) ?? ' ')) {
      const negative = this.#peek(2) === '!';
      this.#at += 3;
      const node = this.#choice();
      this.#expect(')');
      if (anchored) this.#lookaheads.push({ node: startingWith(node), negative });
      found = true;
    }
    if (found && !anchored) throw this.#unsupported('a look ahead that is not behind "^"');
    if (this.#characters.includes('|') && found && this.#hasTopLevelChoice()) {
      throw this.#unsupported('a look ahead in one of several alternatives');
    }
    // The anchor itself belongs to what follows.
    if (anchored) {
      if (found) this.#lookaheads.push({ node: startingWith(anything), negative: false });
      else this.#at = 0;
    }
    this.#anchored = anchored && found;
  }

  #anchored = false;

  #hasTopLevelChoice(): boolean {
    let depth = 0;
    let inClass = false;
    for (let at = this.#at; at < this.#characters.length; at += 1) {
      const character = this.#characters[at]!;
      if (character === '\\') at += 1;
      else if (inClass) inClass = character !== ']';
      else if (character === '[') inClass = true;
      else if (character === '(') depth += 1;
      else if (character === ')') depth -= 1;
      else if (character === '|' && depth === 0) return true;
    }
    return false;
  }

  #choice(): PatternNode {
    this.#depth += 1;
    if (this.#depth > grammarLimits.depth) throw this.#unsupported('groups nested too deep');
    const items = [this.#sequence()];
    while (this.#peek() === '|') {
      this.#at += 1;
      items.push(this.#sequence());
    }
    this.#depth -= 1;
    return items.length === 1 ? items[0]! : { kind: 'choice', items };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    if (this.#anchored) {
      items.push({ kind: 'edge', at: 'start' });
      this.#anchored = false;
    }
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      items.push(this.#quantified(this.#atom()));
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  #quantified(item: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (bounds === undefined) return item;
    // Lazy ones match the same texts.
    if (this.#peek() === '?') this.#at += 1;
    const [minimum, maximum] = bounds;
    if (maximum < minimum) throw this.#invalid('a repetition whose bounds are out of order');
    if (item.kind === 'edge') throw this.#unsupported('a repeated anchor');
    return { kind: 'repeat', item, minimum, maximum };
  }

  #quantifier(): readonly [number, number] | undefined {
    switch (this.#peek()) {
      case '*':
        this.#at += 1;
        return [0, Infinity];
      case '+':
        this.#at += 1;
        return [1, Infinity];
      case '?':
        this.#at += 1;
        return [0, 1];
      case '{': {
        const rest = this.#characters.slice(this.#at, this.#at + 24).join('');
        const found = /^\{(\d{1,7})(,(\d{0,7}))?\}/.exec(rest);
        if (found === null) return undefined;
        this.#at += found[0].length;
        const minimum = Number(found[1]);
        if (found[2] === undefined) return [minimum, minimum];
        return [minimum, found[3] === '' ? Infinity : Number(found[3])];
      }
      default:
        return undefined;
    }
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case '.':
        return { kind: 'characters', ranges: anyCharacter };
      case '^':
        return { kind: 'edge', at: 'start' };
      case '$':
        return { kind: 'edge', at: 'end' };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'characters', ranges: this.#class() };
      case '\\':
        return { kind: 'characters', ranges: this.#escape(false) };
      case '*':
      case '+':
      case '?':
        throw this.#invalid(`"${character}" with nothing to repeat`);
      default: {
        const codePoint = character.codePointAt(0)!;
        return { kind: 'characters', ranges: [[codePoint, codePoint]] };
      }
    }
  }

  #group(): PatternNode {
    if (this.#peek() === '?') {
      const kind = this.#characters.slice(this.#at, this.#at + 3).join('');
      if (kind.startsWith('?:')) this.#at += 2;
      else if (kind.startsWith('?<') && kind !== '?<=' && kind !== '?<!') {
        while (this.#next() !== '>');
      } else throw this.#unsupported('a look ahead or behind in the middle of a pattern');
    }
    const node = this.#choice();
    this.#expect(')');
    return node;
  }

  #class(): CodePointRanges {
    const negative = this.#peek() === '^';
    if (negative) this.#at += 1;
    const ranges: (readonly [number, number])[] = [];
    while (this.#peek() !== ']') {
      const first = this.#classMember();
      const single = first.length === 1 && first[0]![0] === first[0]![1] ? first[0]![0] : undefined;
      if (
        this.#peek() === '-' &&
        this.#peek(1) !== ']' &&
        this.#peek(1) !== undefined &&
        single !== undefined
      ) {
        this.#at += 1;
        const last = this.#classMember();
        if (last.length === 1 && last[0]![0] === last[0]![1]) {
          if (last[0]![0] < single) throw this.#invalid('a range of characters that is out of order');
          ranges.push([single, last[0]![0]]);
        } else ranges.push([single, single], [0x2d, 0x2d], ...last);
      } else ranges.push(...first);
    }
    this.#at += 1;
    return negative ? invertRanges(ranges) : normalizeRanges(ranges);
  }

  #classMember(): CodePointRanges {
    const character = this.#next();
    if (character === '\\') return this.#escape(true);
    const codePoint = character.codePointAt(0)!;
    return [[codePoint, codePoint]];
  }

  #escape(inClass: boolean): CodePointRanges {
    const character = this.#next();
    const single = (codePoint: number): CodePointRanges => [[codePoint, codePoint]];
    const group = classEscape(character);
    if (group !== undefined) return group;
    const control = controlEscapes[character];
    if (control !== undefined) return single(control);
    if (character === 'b' && inClass) return single(8);
    if (character === 'b' || character === 'B') throw this.#unsupported('a border of words');
    if (character === 'k' || /[1-9]/.test(character)) throw this.#unsupported('a reference to a group');
    if (character === 'x') return single(this.#hexadecimal(2));
    if (character === 'c') return single(this.#next().codePointAt(0)! % 32);
    if (character === 'u') {
      if (this.#peek() !== '{') return single(this.#hexadecimal(4));
      const digits = this.#braces();
      const codePoint = Number.parseInt(digits, 16);
      if (!/^[0-9a-f]+$/i.test(digits) || codePoint > lastCodePoint) throw this.#invalid('a bad \\u{…}');
      return single(codePoint);
    }
    if (character === 'p' || character === 'P') {
      const ranges = propertyRanges(this.#braces());
      if (ranges === undefined) throw this.#invalid('an unknown property of characters');
      return character === 'p' ? ranges : invertRanges(ranges);
    }
    return single(character.codePointAt(0)!);
  }

  #braces(): string {
    this.#expect('{');
    let content = '';
    for (let next = this.#next(); next !== '}'; next = this.#next()) content += next;
    return content;
  }

  /** A pair of surrogates is one character. */
  #hexadecimal(length: number): number {
    const digits = this.#characters.slice(this.#at, this.#at + length).join('');
    if (!/^[0-9a-f]+$/i.test(digits) || digits.length < length) throw this.#invalid('a bad escape');
    this.#at += length;
    const value = Number.parseInt(digits, 16);
    const low = /^\\u(d[c-f][0-9a-f]{2})/i.exec(this.#characters.slice(this.#at, this.#at + 6).join(''));
    if (length !== 4 || value < 0xd800 || value > 0xdbff || low === null) return value;
    this.#at += 6;
    return 0x10000 + ((value & 0x3ff) << 10) + (Number.parseInt(low[1]!, 16) & 0x3ff);
  }

  #peek(offset = 0): string | undefined {
    return this.#characters[this.#at + offset];
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
    return new RivuletError(
      'GRAMMAR_INVALID',
      `Expected a regular expression, found ${found} in "${shortened(this.#source)}".`,
      { details: { pattern: this.#source } },
    );
  }

  #unsupported(found: string): RivuletError {
    return new RivuletError(
      'UNSUPPORTED',
      `Expected a regular expression without looks around, references and word borders, found ${found} in "${shortened(this.#source)}".`,
      { details: { pattern: this.#source } },
    );
  }
}

const anything: PatternNode = {
  kind: 'repeat',
  item: { kind: 'characters', ranges: [[0, lastCodePoint]] },
  minimum: 0,
  maximum: Infinity,
};

function startingWith(node: PatternNode): PatternNode {
  return { kind: 'sequence', items: [{ kind: 'edge', at: 'start' }, node] };
}

function shortened(source: string): string {
  return source.length > 80 ? `${source.slice(0, 80)}…` : source;
}

import type { parse } from '@huggingface/jinja';

import { unescapeLiteral } from './string-literal.ts';
import { TemplateLimitError, TemplateSyntaxError } from './template-error.ts';
import { maximumNestingDepth, maximumSourceCharacters } from './template-limits.ts';
import { isBlank, skipEnd, skipStart } from './whitespace.ts';

/** The kinds of tokens that the parser of `@huggingface/jinja` takes. */
export type TokenType = Parameters<typeof parse>[0][number]['type'];

export interface TemplateToken {
  readonly value: string;
  readonly type: TokenType;
  /** Line of its first character, counted from 1. */
  readonly line: number;
  /** Brackets around it. */
  readonly depth: number;
}

const tagStart = /\{[%{#]/g;
const rawTag = /\{%[-+]?\s*raw\s*(?:-%\}|%\})/y;
const rawEnd = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
const spaces = /\s+/y;
const number =
  /0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|\d(?:_?\d)*(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?/y;
const integer = /\d(?:_?\d)*/y;
const name = /[\p{L}\p{M}\p{N}_]+/uy;
const stringLiteral = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const operator = /\*\*|\/\/|==|!=|<=|>=|[-+~*/%<>=.,:|()[\]{}]/y;

const operatorTypes: Readonly<Record<string, TokenType>> = {
  '**': 'ExponentiationBinaryOperator',
  '*': 'MultiplicativeBinaryOperator',
  '/': 'MultiplicativeBinaryOperator',
  '//': 'MultiplicativeBinaryOperator',
  '%': 'MultiplicativeBinaryOperator',
  '+': 'AdditiveBinaryOperator',
  '-': 'AdditiveBinaryOperator',
  '~': 'AdditiveBinaryOperator',
  '=': 'Equals',
  '.': 'Dot',
  ',': 'Comma',
  ':': 'Colon',
  '|': 'Pipe',
  '(': 'OpenParen',
  ')': 'CloseParen',
  '[': 'OpenSquareBracket',
  ']': 'CloseSquareBracket',
  '{': 'OpenCurlyBracket',
  '}': 'CloseCurlyBracket',
};
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Jinja2's lexer with `trim_blocks` and `lstrip_blocks` (its lexer.py). A `Comment` token with the line number
 * goes before every tag: the parser keeps comments, and so the interpreter knows where it is.
 * @throws {TemplateSyntaxError} @throws {TemplateLimitError}
 */
export function tokenizeTemplate(template: string): TemplateToken[] {
  if (template.length > maximumSourceCharacters) {
    throw new TemplateLimitError(`a template of more than ${maximumSourceCharacters} characters`);
  }
  const normalized = template.replace(/\r\n|\r/g, '\n');
  const source = normalized.endsWith('\n') ? normalized.slice(0, -1) : normalized;
  const tokens: TemplateToken[] = [];
  let position = 0;
  let line = 1;
  let lineStarting = true;

  let lineEnd = source.indexOf('\n');
  const advance = (to: number): void => {
    for (; lineEnd >= 0 && lineEnd < to; lineEnd = source.indexOf('\n', lineEnd + 1)) line += 1;
    position = to;
  };
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  const push = (value: string, type: TokenType, depth = 0): void => {
    tokens.push({ value, type, line, depth });
  };
  const pushText = (end: number, sign: string, isBlock: boolean): void => {
    let text = source.slice(position, end);
    if (sign === '-') {
      text = text.slice(0, skipEnd(text));
    } else if (sign !== '+' && isBlock) {
      const lastLine = text.lastIndexOf('\n') + 1;
      if ((lastLine > 0 || lineStarting) && isBlank(text.slice(lastLine))) text = text.slice(0, lastLine);
    }
    if (text !== '') push(text, 'Text');
    advance(end);
  };
  /** Where the template goes on after a tag that closed before `end` with the given sign. */
  const afterTag = (end: number, sign: string, isBlock: boolean): void => {
    if (sign === '-') advance(skipStart(source, undefined, end));
    else advance(isBlock && sign !== '+' && source.charAt(end) === '\n' ? end + 1 : end);
    lineStarting = source.charAt(position - 1) === '\n';
  };

  const readRaw = (): void => {
    const begin = match(rawTag, position);
    if (begin === null) return;
    const [opening] = begin;
    const contentStart = position + opening.length;
    afterTag(contentStart, opening.at(-3) === '-' ? '-' : '+', true);
    const end = match(rawEnd, position);
    if (end === null) throw new TemplateSyntaxError('Missing end of raw block', line);
    pushText(end.index, end[1] ?? '', true);
    afterTag(end.index + end[0].length, end[2] ?? '', true);
  };

  const readComment = (): void => {
    const end = source.indexOf('#}', position + 2);
    if (end < 0) throw new TemplateSyntaxError('Missing end of comment tag', line);
    const sign = end > position + 2 ? source.charAt(end - 1) : '';
    afterTag(end + 2, sign === '-' || sign === '+' ? sign : '', true);
  };

  const readTag = (isBlock: boolean, openingLength: number): void => {
    const close = isBlock ? '%}' : '}}';
    push(String(line), 'Comment');
    push(isBlock ? '{%' : '{{', isBlock ? 'OpenStatement' : 'OpenExpression');
    advance(position + openingLength);
    const open: string[] = [];
    while (position < source.length) {
      const blank = match(spaces, position);
      if (blank !== null) advance(position + blank[0].length);
      if (open.length === 0) {
        const sign = source.charAt(position);
        const signed = sign === '-' || (sign === '+' && isBlock);
        const start = signed ? position + 1 : position;
        if (source.startsWith(close, start)) {
          push(close, isBlock ? 'CloseStatement' : 'CloseExpression');
          afterTag(start + 2, signed ? sign : '', isBlock);
          return;
        }
      }
      readExpressionToken(open);
    }
    throw new TemplateSyntaxError(`Unexpected end of template, expected "${close}"`, line);
  };

  const readExpressionToken = (open: string[]): void => {
    const digits = match(tokens.at(-1)?.type === 'Dot' ? integer : number, position);
    if (digits !== null) {
      push(numberValue(digits[0]), 'NumericLiteral', open.length);
      return advance(position + digits[0].length);
    }
    const word = match(name, position);
    if (word !== null) {
      push(word[0], 'Identifier', open.length);
      return advance(position + word[0].length);
    }
    const literal = match(stringLiteral, position);
    if (literal !== null) {
      push(unescapeLiteral(literal[0].slice(1, -1)), 'StringLiteral', open.length);
      return advance(position + literal[0].length);
    }
    const symbol = match(operator, position)?.[0];
    if (symbol === undefined) {
      if (position >= source.length) return;
      throw new TemplateSyntaxError(`Unexpected character ${JSON.stringify(source.charAt(position))}`, line);
    }
    const closed = closing[symbol];
    if (')]}'.includes(symbol) && open.pop() !== symbol) {
      throw new TemplateSyntaxError(`Unexpected "${symbol}"`, line);
    }
    push(symbol, operatorTypes[symbol] ?? 'ComparisonBinaryOperator', open.length);
    if (closed !== undefined && open.push(closed) > maximumNestingDepth) {
      throw new TemplateLimitError(`more than ${maximumNestingDepth} brackets inside each other`);
    }
    advance(position + symbol.length);
  };

  while (position < source.length) {
    const next = match(tagStart, position);
    if (next === null) {
      push(source.slice(position), 'Text');
      break;
    }
    const kind = source.charAt(next.index + 1);
    const sign = source.charAt(next.index + 2);
    const isSigned = sign === '-' || sign === '+';
    pushText(next.index, isSigned ? sign : '', kind !== '{');
    if (kind === '#') readComment();
    else if (kind === '%' && match(rawTag, position) !== null) readRaw();
    else readTag(kind === '%', isSigned ? 3 : 2);
  }
  return tokens;
}

/** The parser takes a number for a float when it sees a point in it. */
function numberValue(digits: string): string {
  const plain = digits.replaceAll('_', '');
  if (/^0[xXbBoO]/.test(plain)) return String(Number(plain));
  if (!/[eE]/.test(plain)) return plain;
  const written = String(Number(plain));
  return written.includes('.') ? written : written.replace(/(?=e|$)/, '.0');
}

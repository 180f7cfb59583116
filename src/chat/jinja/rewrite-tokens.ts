import type { TemplateToken, TokenType } from './lexer.ts';
import { TemplateLimitError, TemplateSyntaxError } from './template-error.ts';
import { maximumNestingDepth } from './template-limits.ts';

/** A test with arguments travels through the parser as a filter of this name; no template can write a space in one. */
export const testPrefix = 'is ';
export const negatedTestPrefix = 'is not ';
/** The name of the filter that makes a tuple of a list. */
export const tupleFilter = 'as tuple';

const openers: ReadonlySet<TokenType> = new Set(['OpenParen', 'OpenSquareBracket', 'OpenCurlyBracket']);
const closers: ReadonlySet<TokenType> = new Set(['CloseParen', 'CloseSquareBracket', 'CloseCurlyBracket']);
/** Names after a test that do not begin its argument (Jinja2's `parse_test`, and its keywords). */
const notArguments: ReadonlySet<string> = new Set(['else', 'or', 'and', 'is', 'if', 'in', 'not']);
const blockNames: ReadonlySet<string> = new Set([
  'if',
  'for',
  'macro',
  'call',
  'filter',
  'with',
  'generation',
]);

/**
 * Turns what the parser of `@huggingface/jinja` does not know into what it knows: tests with arguments, tuples of
 * one, `with`, transformers' `generation`.
 * @throws {TemplateSyntaxError} @throws {TemplateLimitError}
 */
export function rewriteTokens(tokens: readonly TemplateToken[]): TemplateToken[] {
  return rewriteTests(rewriteTuples(rewriteBlocks(tokens)));
}

function rewriteBlocks(tokens: readonly TemplateToken[]): TemplateToken[] {
  const result: TemplateToken[] = [];
  let depth = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    const following = tokens[index + 1];
    if (token === undefined) break;
    result.push(token);
    if (token.type !== 'OpenStatement' || following?.type !== 'Identifier') continue;
    const name = following.value;
    if (blockNames.has(name)) depth += 1;
    else if (name.startsWith('end') && blockNames.has(name.slice(3))) depth -= 1;
    if (depth > maximumNestingDepth) {
      throw new TemplateLimitError(`more than ${maximumNestingDepth} statements inside each other`);
    }
    if (name === 'generation' || name === 'with') {
      let end = index + 1;
      while (end < tokens.length && tokens[end]?.type !== 'CloseStatement') end += 1;
      result.push(...word(following, 'filter', 'safe'));
      if (name === 'with') result.push(...assignments(tokens.slice(index + 2, end), following));
      index = end - 1;
    } else if (name === 'endgeneration' || name === 'endwith') {
      result.push({ ...following, value: 'endfilter' });
      index += 1;
    }
  }
  return result;
}

function word(at: TemplateToken, ...values: string[]): TemplateToken[] {
  const { line } = at;
  return values.map((value) => ({ line, type: 'Identifier', value, depth: 0 }));
}

/** `a = 1, b = 2` of a `with` as set statements; leaves the last one open for the closing of the `with`. */
function assignments(tokens: readonly TemplateToken[], at: TemplateToken): TemplateToken[] {
  const result: TemplateToken[] = [];
  const begin: TemplateToken[] = [
    { ...at, type: 'CloseStatement', value: '%}' },
    { ...at, type: 'OpenStatement', value: '{%' },
    ...word(at, 'set'),
  ];
  if (tokens.length > 0) result.push(...begin);
  for (const token of tokens) {
    if (token.type === 'Comma' && token.depth === 0) result.push(...begin);
    else result.push(token);
  }
  return result;
}

/** `()` and `(a,)` become `([]|as tuple)` and `([a]|as tuple)`: the parser knows neither. */
function rewriteTuples(tokens: readonly TemplateToken[]): TemplateToken[] {
  const result: TemplateToken[] = [];
  const open: { index: number; commas: number; isCall: boolean }[] = [];
  for (const token of tokens) {
    const previous = result.at(-1);
    if (openers.has(token.type)) {
      const isCall =
        previous?.type === 'Identifier'
          ? !keywords.has(previous.value)
          : closers.has(previous?.type ?? 'Text');
      open.push({ index: result.length, commas: 0, isCall });
    } else if (closers.has(token.type)) {
      const begin = open.pop();
      const first = result[begin?.index ?? -1];
      const isTuple = token.type === 'CloseParen' && begin !== undefined && !begin.isCall;
      const isEmpty = isTuple && begin.index === result.length - 1;
      if (first !== undefined && (isEmpty || (isTuple && previous?.type === 'Comma'))) {
        if (!isEmpty) result.pop();
        if (isEmpty || begin.commas === 1) {
          result.splice(begin.index + 1, 0, { ...first, type: 'OpenSquareBracket', value: '[' });
          result.push({ ...token, type: 'CloseSquareBracket', value: ']' });
          result.push({ ...token, type: 'Pipe', value: '|' }, ...word(token, tupleFilter));
        }
      }
    } else if (token.type === 'Comma') {
      const inside = open.at(-1);
      if (inside !== undefined) inside.commas += 1;
    }
    result.push(token);
  }
  return result;
}

const keywords: ReadonlySet<string> = new Set(['in', 'not', 'and', 'or', 'if', 'else', 'elif', 'is', 'set']);

function rewriteTests(tokens: readonly TemplateToken[]): TemplateToken[] {
  const result: TemplateToken[] = [];
  let index = 0;
  while (index < tokens.length) {
    const token = tokens[index];
    if (token === undefined) break;
    const negated = isName(tokens[index + 1], 'not');
    const nameIndex = index + (negated ? 2 : 1);
    const test = tokens[nameIndex];
    const argument = tokens[nameIndex + 1];
    if (!isName(token, 'is') || test?.type !== 'Identifier' || !beginsArgument(argument)) {
      result.push(token);
      index += 1;
      continue;
    }
    const end = endOfArgument(tokens, nameIndex + 1);
    const given = tokens.slice(nameIndex + 1, end);
    const isCall = argument?.type === 'OpenParen';
    result.push({ ...token, type: 'Pipe', value: '|' });
    result.push({ ...test, value: (negated ? negatedTestPrefix : testPrefix) + test.value });
    if (!isCall) result.push({ ...test, type: 'OpenParen', value: '(' });
    result.push(...rewriteTests(given));
    if (!isCall) result.push({ ...test, type: 'CloseParen', value: ')' });
    index = end;
  }
  return result;
}

function isName(token: TemplateToken | undefined, value: string): boolean {
  return token?.type === 'Identifier' && token.value === value;
}

function beginsArgument(token: TemplateToken | undefined): boolean {
  if (token === undefined) return false;
  if (token.type === 'Identifier') return !notArguments.has(token.value);
  return token.type === 'NumericLiteral' || token.type === 'StringLiteral' || openers.has(token.type);
}

/** Index behind a primary expression with what follows it: `.name`, `[…]`, `(…)`. */
function endOfArgument(tokens: readonly TemplateToken[], start: number): number {
  const first = tokens[start];
  let index = first !== undefined && openers.has(first.type) ? endOfBrackets(tokens, start) : start + 1;
  if (first?.type === 'OpenParen') return index;
  while (index < tokens.length) {
    const token = tokens[index];
    if (token?.type === 'Dot') index += 2;
    else if (token?.type === 'OpenSquareBracket' || token?.type === 'OpenParen') {
      index = endOfBrackets(tokens, index);
    } else break;
  }
  return index;
}

function endOfBrackets(tokens: readonly TemplateToken[], start: number): number {
  let depth = 0;
  for (let index = start; index < tokens.length; index += 1) {
    const type = tokens[index]?.type ?? 'Text';
    if (openers.has(type)) depth += 1;
    else if (closers.has(type)) depth -= 1;
    if (depth === 0) return index + 1;
  }
  throw new TemplateSyntaxError('Missing closing bracket', tokens[start]?.line ?? 1);
}

import { TextReader, wholeCharacters } from './text-reader.ts';
import type { Reading } from './text-reader.ts';

/** Deeper values are no arguments that a tool takes; each level costs a frame. */
const maximumDepth = 128;
/** A number or word that goes on longer is neither. */
const maximumWordLength = 400;

const words: Readonly<Record<string, string>> = {
  true: 'true',
  false: 'false',
  null: 'null',
  True: 'true',
  False: 'false',
  None: 'null',
};
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const endOfWord = /[\s,:;()[\]{}<>"'`=|]/g;

/** What opens a value that this file reads. */
export type LiteralKind = 'object' | 'list' | 'string' | 'word' | 'none';

/**
 * Reads a value in JSON or in Python's spelling (single quotes, `True`, `None`, tuples, a last comma, line ends in
 * strings), which models mix up, and hands it over as compact JSON as it comes. False when there is no value here;
 * the place of reading is then somewhere inside.
 */
export function* readLiteral(reader: TextReader, write: (json: string) => void, depth = 0): Reading<boolean> {
  yield* reader.skipSpace();
  const character = yield* reader.peek();
  if (depth > maximumDepth) return false;
  switch (character) {
    case '{':
      return yield* readObject(reader, write, depth);
    case '[':
      return yield* readList(reader, write, depth, ']');
    case '(':
      return yield* readList(reader, write, depth, ')');
    case '"':
    case "'": {
      write('"');
      if (!(yield* readString(reader, write))) return false;
      write('"');
      return true;
    }
    default:
      return yield* readWord(reader, write);
  }
}

/** Which kind of value stands here; white space before it is read. */
export function* peekLiteral(reader: TextReader): Reading<LiteralKind> {
  yield* reader.skipSpace();
  const character = yield* reader.peek();
  if (character === '{') return 'object';
  if (character === '[') return 'list';
  if (character === '"' || character === "'") return 'string';
  return /[-\w]/.test(character) ? 'word' : 'none';
}

/** The text of a string that stands here, or nothing if none does or it is not closed. */
export function* readPlainString(reader: TextReader): Reading<string | undefined> {
  if ((yield* peekLiteral(reader)) !== 'string') return undefined;
  let inner = '';
  const isClosed = yield* readString(reader, (json) => (inner += json));
  return isClosed ? (JSON.parse(`"${inner}"`) as string) : undefined;
}

function* readObject(reader: TextReader, write: (json: string) => void, depth: number): Reading<boolean> {
  reader.position += 1;
  write('{');
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    const next = yield* reader.peek();
    if (next === '}') break;
    if (next !== '"' && next !== "'") return false;
    write(isFirst ? '"' : ',"');
    if (!(yield* readString(reader, write))) return false;
    write('":');
    yield* reader.skipSpace();
    if ((yield* reader.take([':'])) === undefined) return false;
    if (!(yield* readLiteral(reader, write, depth + 1))) return false;
    if (!(yield* readComma(reader, '}'))) return false;
  }
  reader.position += 1;
  write('}');
  return true;
}

function* readList(
  reader: TextReader,
  write: (json: string) => void,
  depth: number,
  close: string,
): Reading<boolean> {
  reader.position += 1;
  write('[');
  for (let isFirst = true; ; isFirst = false) {
    yield* reader.skipSpace();
    const next = yield* reader.peek();
    if (next === close) break;
    if (next === '') return false;
    if (!isFirst) write(',');
    if (!(yield* readLiteral(reader, write, depth + 1))) return false;
    if (!(yield* readComma(reader, close))) return false;
  }
  reader.position += 1;
  write(']');
  return true;
}

/** Reads past a comma; false when neither it nor `close` is here. */
export function* readComma(reader: TextReader, close: string): Reading<boolean> {
  yield* reader.skipSpace();
  const next = yield* reader.peek();
  if (next === ',') reader.position += 1;
  return next === ',' || next === close;
}

/** Hands over the inside of a JSON string. */
function* readString(reader: TextReader, write: (json: string) => void): Reading<boolean> {
  const quote = reader.text[reader.position] ?? '';
  reader.position += 1;
  const special = quote === '"' ? /["\\]/g : /['\\]/g;
  for (;;) {
    if ((yield* reader.peek()) === '') return false;
    special.lastIndex = reader.position;
    const end = special.exec(reader.text)?.index ?? reader.text.length;
    // Python may put double quotes into single ones, and models write line ends as they are.
    const character = reader.text[end];
    const certain = character === undefined && !reader.ended ? wholeCharacters(reader.text, end) : end;
    if (certain > reader.position) write(escapeText(reader.text.slice(reader.position, certain)));
    reader.position = certain;
    if (character === undefined) {
      reader.forget();
      if (reader.position < reader.text.length) yield undefined;
      continue;
    }
    reader.position += 1;
    if (character === quote) return true;
    const escape = yield* readEscape(reader);
    if (escape === undefined) return false;
    write(escape);
  }
}

/** The escape behind a backslash as JSON writes it. */
function* readEscape(reader: TextReader): Reading<string | undefined> {
  const character = yield* reader.peek();
  if (character === '') return undefined;
  reader.position += 1;
  if ('"\\/bfnrt'.includes(character)) return `\\${character}`;
  if (character === "'") return "'";
  if (character === '\n') return '';
  const length = { x: 2, u: 4, U: 8 }[character];
  if (length !== undefined) {
    let digits = '';
    while (digits.length < length) {
      const digit = yield* reader.peek();
      if (!/^[0-9a-fA-F]$/.test(digit)) break;
      digits += digit;
      reader.position += 1;
    }
    const code = Number.parseInt(digits, 16);
    if (digits.length < length || code > 0x10_ff_ff) return escapeText(`\\${character}${digits}`);
    if (character === 'u') return `\\u${digits}`;
    return escapeText(String.fromCodePoint(code));
  }
  // Neither JSON nor Python: the backslash is meant as it stands, as in a Windows path.
  return escapeText(`\\${character}`);
}

function* readWord(reader: TextReader, write: (json: string) => void): Reading<boolean> {
  for (;;) {
    endOfWord.lastIndex = reader.position;
    const end = endOfWord.exec(reader.text)?.index;
    if (end === undefined && !reader.ended && reader.text.length - reader.position <= maximumWordLength) {
      yield undefined;
      continue;
    }
    const word = reader.text.slice(reader.position, end);
    const json = Object.hasOwn(words, word) ? words[word] : number.test(word) ? word : undefined;
    if (json === undefined) return false;
    reader.position += word.length;
    write(json);
    return true;
  }
}

/** A text that is one value and nothing else, as compact JSON. */
export function readWhole(text: string): string | undefined {
  const reader = new TextReader();
  reader.push(text.trim());
  reader.ended = true;
  let json = '';
  const { value } = readLiteral(reader, (part) => (json += part)).next();
  return value === true && reader.position === reader.text.length ? json : undefined;
}

/** Text as it stands inside a JSON string. */
export function escapeText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

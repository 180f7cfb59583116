import { RivuletError } from '../errors.ts';
import { hasNewerCharacters, maskNewerCharacters } from './newer-characters.ts';

/** Cuts one piece of text into smaller ones; joined again, they are the text. */
export type SplitRule = RegExp | ((text: string) => readonly string[]);

/** The white space of llama.cpp's `unicode_set_whitespace`; unlike JavaScript's `\s` with U+0085 and without U+FEFF. */
const whiteSpace = String.raw`\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

/** Compiles a pattern in the notation of tokenizer.json files, with `\s` and `\S` as the reference reads them. */
export function compileSplit(pattern: string): RegExp {
  let source = '';
  let insideClass = false;
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    const pair = pattern.slice(index, index + 2);
    if (pair === String.raw`\s`) source += insideClass ? whiteSpace : `[${whiteSpace}]`;
    else if (pair === String.raw`\S`) source += `[^${whiteSpace}]`;
    else if (character === '\\') source += pair;
    else source += character;
    if (character === '\\') index++;
    else if (character === '[') insideClass = true;
    else if (character === ']') insideClass = false;
  }
  return new RegExp(source, 'gu');
}

/** Applies one rule after another, each to the pieces of the one before (llama.cpp `unicode_regex_split`). */
export function splitWords(text: string, rules: readonly SplitRule[]): readonly string[] {
  const hasNewer = hasNewerCharacters(text);
  let pieces: readonly string[] = [text];
  for (const rule of rules) {
    if (pieces.length === 1) {
      pieces = applyRule(text, rule, hasNewer);
      continue;
    }
    const finer: string[] = [];
    for (const piece of pieces) {
      for (const part of applyRule(piece, rule, hasNewer)) finer.push(part);
    }
    pieces = finer;
  }
  return pieces;
}

function applyRule(text: string, rule: SplitRule, hasNewer: boolean): readonly string[] {
  const asksForProperties = typeof rule === 'function' || rule.source.includes(String.raw`\p{`);
  const masked = hasNewer && asksForProperties ? maskNewerCharacters(text) : text;
  const pieces = typeof rule === 'function' ? rule(masked) : isolateMatches(masked, rule);
  if (masked === text) return pieces;
  let start = 0;
  return pieces.map((piece) => text.slice(start, (start += piece.length)));
}

/** Each match is a piece, and so is what lies between two matches. */
function isolateMatches(text: string, pattern: RegExp): readonly string[] {
  const matches = matchAll(text, pattern);
  if (matches === null) return [text];
  let matchedLength = 0;
  for (const match of matches) matchedLength += match.length;
  if (matchedLength === text.length) return matches;
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** @throws {RivuletError} `INVALID_ARGUMENT` when the engine's memory for backtracking ends, at words of millions of characters */
function matchAll(text: string, pattern: RegExp): readonly string[] | null {
  try {
    return text.match(pattern);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RivuletError(
      'INVALID_ARGUMENT',
      `Expected text in words, found ${text.length} characters with a single word too long to be split. Give the text in parts.`,
      { cause, details: { textLength: text.length } },
    );
  }
}

/** Groups of three digits counted from the right; text before a run stays with its first group (llama.cpp `unicode_regex_split_custom_afmoe`). */
export function splitDigitGroups(text: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const run of text.matchAll(/\p{N}+/gu)) {
    const digits = Array.from(run[0]);
    let end = run.index;
    for (let index = 0; index < digits.length; index++) {
      end += (digits[index] as string).length;
      if ((digits.length - index - 1) % 3 !== 0) continue;
      pieces.push(text.slice(start, end));
      start = end;
    }
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

/** Cuts where a multiple of three ASCII digits follows up to the end of their run: the pattern `(?=(\d{3})+(?!\d))` in linear time. */
export function splitBeforeThousands(text: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  for (const run of text.matchAll(/[0-9]+/g)) {
    const runEnd = run.index + run[0].length;
    for (let cut = run.index + (run[0].length % 3); cut < runEnd; cut += 3) {
      if (cut > start) pieces.push(text.slice(start, cut));
      start = cut;
    }
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

/** Runs of newlines and what lies between them (llama.cpp `unicode_regex_split_custom_newlines`). */
export function splitNewlineRuns(text: string): readonly string[] {
  return text.match(/[^\n]+|\n+/g) ?? [];
}

import { occurrences, plain, stripText, textLength } from './marked-text.ts';
import type { RenderContext } from './render-context.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { whitespaceClass } from './whitespace.ts';

const words = new RegExp(`[^${whitespaceClass}]+`, 'gu');
const lineEnds = new RegExp(String.raw`\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]`, 'g');

/** Python's `str.split(separator, most)`; without separator at white space. */
export function splitText(
  context: RenderContext,
  text: string,
  separator: string | undefined,
  most: number,
): string[] {
  if (separator === undefined) return splitWords(context, text, most);
  if (separator === '') throw new TemplateRuntimeError('empty separator');
  const parts: string[] = [];
  let position = 0;
  for (const [start, end] of occurrences(context, text, separator, most < 0 ? undefined : most)) {
    parts.push(text.slice(position, start));
    position = end;
  }
  parts.push(text.slice(position));
  return parts;
}

/** Python's `str.rsplit`. */
export function splitTextFromEnd(
  context: RenderContext,
  text: string,
  separator: string | undefined,
  most: number,
): string[] {
  const parts = splitText(context, text, separator, -1);
  if (most < 0 || parts.length <= most + 1) return parts;
  const last = most === 0 ? [] : parts.slice(-most);
  const places = separator === undefined ? [] : occurrences(context, text, separator);
  const place = places[places.length - most];
  if (separator !== undefined) return [most === 0 ? text : text.slice(0, place?.[0]), ...last];
  const restEnd = last.reduce((end, part) => text.lastIndexOf(part, end - part.length), text.length);
  return [stripText(context, most === 0 ? text : text.slice(0, restEnd), 'end'), ...last];
}

function splitWords(context: RenderContext, text: string, most: number): string[] {
  context.readText(text.length);
  const parts: string[] = [];
  for (const match of text.matchAll(words)) {
    if (most >= 0 && parts.length === most) {
      parts.push(stripText(context, text.slice(match.index), 'end'));
      break;
    }
    parts.push(match[0]);
    context.makeList(1);
  }
  return parts;
}

/** Python's `str.splitlines`. */
export function splitLines(context: RenderContext, text: string, keepEnds: boolean): string[] {
  context.makeText(text.length);
  const lines: string[] = [];
  let position = 0;
  for (const match of text.matchAll(lineEnds)) {
    const end = match.index + match[0].length;
    lines.push(text.slice(position, keepEnds ? end : match.index));
    position = end;
  }
  if (position < text.length) lines.push(text.slice(position));
  context.makeList(lines.length);
  return lines;
}

/** Python's `str.replace(from, to, most)`. */
export function replaceText(
  context: RenderContext,
  text: string,
  from: string,
  to: string,
  most: number,
): string {
  if (plain(context, from) === '') return interleave(context, text, to, most);
  const places = occurrences(context, text, from, most < 0 ? undefined : most);
  context.makeText(text.length + places.length * to.length);
  let result = '';
  let position = 0;
  for (const [start, end] of places) {
    result += text.slice(position, start) + to;
    position = end;
  }
  return result + text.slice(position);
}

/** Replacing the empty text puts the new one around every character. */
function interleave(context: RenderContext, text: string, to: string, most: number): string {
  const count = textLength(context, text) + 1;
  context.makeText(text.length + count * to.length);
  let left = most < 0 ? count : Math.min(most, count);
  let result = '';
  for (const character of text) {
    result += left > 0 ? to + character : character;
    left -= 1;
  }
  return left > 0 ? result + to : result;
}

/** Python's `str.title`: the first letter of every run of letters. */
export function titleText(text: string): string {
  return text.replace(/\p{L}+/gu, capitalizeText);
}

/** Python's `str.capitalize`. */
export function capitalizeText(text: string): string {
  const first = String.fromCodePoint(...(text === '' ? [] : [text.codePointAt(0) ?? 0]));
  return first.toUpperCase() + text.slice(first.length).toLowerCase();
}

/** Indents the lines of a text as Jinja's `indent` does. */
export function indentText(
  context: RenderContext,
  text: string,
  indent: string,
  first: boolean,
  blank: boolean,
): string {
  const [head = '', ...rest] = splitLines(context, `${text}\n`, false);
  context.makeText(text.length + (rest.length + 1) * (indent.length + 1));
  const indented = rest.map((line) => (line === '' && !blank ? line : indent + line));
  return (first ? indent : '') + [head, ...indented].join('\n');
}

/** Words as Jinja's `wordcount` finds them. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{M}\p{N}_]+/gu)?.length ?? 0;
}

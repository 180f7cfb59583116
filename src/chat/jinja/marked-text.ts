import type { RenderContext } from './render-context.ts';
import { skipEnd, skipStart } from './whitespace.ts';

/*
 * A guarded text (see text-guards.ts) has marks between its characters. Templates must not notice them: every
 * operation that looks into a text goes through the functions here.
 */

/** The text without marks. */
export function plain(context: RenderContext, text: string): string {
  return hasMark(context, text) ? text.replaceAll(context.mark ?? '', '') : text;
}

/** Length in code points, as Python counts. */
export function textLength(context: RenderContext, text: string): number {
  context.readText(text.length);
  const visible = plain(context, text);
  let length = visible.length;
  for (let index = 0; index < visible.length - 1; index += 1) {
    if (isPair(visible, index)) {
      length -= 1;
      index += 1;
    }
  }
  return length;
}

/** The code points; a mark stays with the one behind it, the last marks with the one before them. */
export function textCharacters(context: RenderContext, text: string): string[] {
  context.makeText(text.length);
  context.makeList(text.length);
  if (!hasMark(context, text)) return Array.from(text);
  const characters: string[] = [];
  let marks = '';
  for (const character of text) {
    if (character === context.mark) marks += character;
    else {
      characters.push(marks + character);
      marks = '';
    }
  }
  const last = characters.pop();
  return last === undefined ? [] : [...characters, last + marks];
}

/** Start and end offsets of the first occurrences of `part` that do not overlap; none for an empty `part`. */
export function occurrences(
  context: RenderContext,
  text: string,
  part: string,
  most: number = Number.POSITIVE_INFINITY,
): [start: number, end: number][] {
  context.readText(text.length);
  const found: [number, number][] = [];
  const searched = plain(context, part);
  if (searched === '') return found;
  if (!hasMark(context, text)) {
    let start = text.indexOf(searched);
    while (start >= 0 && found.length < most) {
      found.push([start, start + searched.length]);
      start = text.indexOf(searched, start + searched.length);
    }
  } else {
    const offsets = visibleOffsets(context, text);
    const visible = plain(context, text);
    let start = visible.indexOf(searched);
    while (start >= 0 && found.length < most) {
      const end = start + searched.length;
      found.push([offsets[start] ?? 0, (offsets[end - 1] ?? 0) + 1]);
      start = visible.indexOf(searched, end);
    }
  }
  context.makeList(found.length);
  return found;
}

/** Python's `strip`, `lstrip` and `rstrip`; marks beside what stays are kept. */
export function stripText(
  context: RenderContext,
  text: string,
  sides: 'both' | 'start' | 'end',
  characters?: string,
): string {
  context.readText(text.length);
  const set = characters === undefined ? undefined : new Set(plain(context, characters));
  const visible = plain(context, text);
  const end = sides === 'start' ? visible.length : skipEnd(visible, set);
  const start = sides === 'end' ? 0 : skipStart(visible, set);
  return sliceVisible(context, text, start, end);
}

/** The part between two offsets that do not count marks; the marks beside what stays are kept. */
export function sliceVisible(context: RenderContext, text: string, start: number, end: number): string {
  if (start >= end) return '';
  if (!hasMark(context, text)) return text.slice(start, end);
  const offsets = visibleOffsets(context, text);
  return text.slice(start === 0 ? 0 : (offsets[start - 1] ?? 0) + 1, offsets[end] ?? text.length);
}

function hasMark(context: RenderContext, text: string): boolean {
  return context.mark !== undefined && text.includes(context.mark);
}

/** Offset in the marked text of every UTF-16 unit of the plain one. */
function visibleOffsets(context: RenderContext, text: string): number[] {
  context.makeList(text.length);
  const offsets: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    if (text.charAt(index) !== context.mark) offsets.push(index);
  }
  return offsets;
}

function isPair(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (code < 0xd8_00 || code > 0xdb_ff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc_00 && next <= 0xdf_ff;
}

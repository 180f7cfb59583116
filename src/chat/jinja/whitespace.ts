/** What Python calls white space (`str.isspace`), as the inside of a character class; JavaScript's `\s` differs. */
export const whitespaceClass: string = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

const isWhitespace = new RegExp(`^[${whitespaceClass}]*$`, 'u');

/** Offset of the first character from `from` on that is not in `set`; `set` is white space by default. */
export function skipStart(text: string, set?: ReadonlySet<string>, from = 0): number {
  let start = from;
  while (start < text.length && belongs(text.charAt(start), set)) start += 1;
  return start;
}

/** Offset behind the last character that is not in `set`; `set` is white space by default. */
export function skipEnd(text: string, set?: ReadonlySet<string>): number {
  let end = text.length;
  while (end > 0 && belongs(text.charAt(end - 1), set)) end -= 1;
  return end;
}

/** Only white space, or nothing. */
export function isBlank(text: string): boolean {
  return isWhitespace.test(text);
}

function belongs(character: string, set: ReadonlySet<string> | undefined): boolean {
  if (set !== undefined) return set.has(character);
  const code = character.charCodeAt(0);
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  return isWhitespace.test(character);
}

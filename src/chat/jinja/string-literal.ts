const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', ''],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const escapeSequence = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;

/** The text between the quotes of a literal as Python's `unicode-escape` reads it; unknown escapes stay. */
export function unescapeLiteral(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(
    escapeSequence,
    (whole: string, x?: string, u?: string, long?: string, octal?: string, other?: string) => {
      const hexadecimal = x ?? u ?? long;
      if (hexadecimal !== undefined) return codePoint(Number.parseInt(hexadecimal, 16), whole);
      if (octal !== undefined) return codePoint(Number.parseInt(octal, 8), whole);
      return simpleEscapes.get(other ?? '') ?? whole;
    },
  );
}

function codePoint(code: number, otherwise: string): string {
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : otherwise;
}

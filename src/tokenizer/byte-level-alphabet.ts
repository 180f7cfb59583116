/** Bytes that stand for themselves in the alphabet: printable Latin-1 without the soft hyphen. */
const printableRanges: readonly (readonly [first: number, last: number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

function buildAlphabet(): readonly string[] {
  const alphabet = Array.from({ length: 256 }, () => '');
  for (const [first, last] of printableRanges) {
    for (let byte = first; byte <= last; byte++) alphabet[byte] = String.fromCharCode(byte);
  }
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    if (alphabet[byte] === '') alphabet[byte] = String.fromCharCode(next++);
  }
  return alphabet;
}

/** (256) the character that writes each byte in a byte-level vocabulary, for example `Ġ` for a space (GPT-2's `bytes_to_unicode`). */
export const byteLevelAlphabet: readonly string[] = buildAlphabet();

/** (324) byte by UTF-16 unit, -1 where the unit is not of the alphabet. */
const byteByUnit: Int16Array = new Int16Array(324).fill(-1);
byteLevelAlphabet.forEach((character, byte) => {
  byteByUnit[character.charCodeAt(0)] = byte;
});

/** The byte that a character of the alphabet writes, or -1. */
export function byteOfCharacter(codePoint: number): number {
  return byteByUnit[codePoint] ?? -1;
}

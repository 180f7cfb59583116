/*
 * The reference's tables of character classes are those of Unicode 15.1; the engine's own go on with each
 * release. A letter that only one side knows would be split differently.
 */

/** Letters, digits, marks and symbols that Unicode has had only since version 16, as ranges of a character class. */
const newerRanges: readonly string[] = [
  String.raw`\u088f\u0897\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\u1b4e-\u1b4f\u1b7f\u1c89-\u1c8a\u20c1`,
  String.raw`\u2427-\u2429\u2b96\u31e4-\u31e5\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7dc\ua7f1\ufbc3-\ufbd2`,
  String.raw`\ufd90-\ufd91\ufdc8-\ufdce\u{105c0}-\u{105f3}\u{10940}-\u{10959}\u{10d40}-\u{10d65}`,
  String.raw`\u{10d69}-\u{10d85}\u{10d8e}-\u{10d8f}\u{10ec2}-\u{10ec7}\u{10ed0}-\u{10ed8}\u{10efa}-\u{10efc}`,
  String.raw`\u{11380}-\u{11389}\u{1138b}\u{1138e}\u{11390}-\u{113b5}\u{113b7}-\u{113c0}\u{113c2}\u{113c5}`,
  String.raw`\u{113c7}-\u{113ca}\u{113cc}-\u{113d5}\u{113d7}-\u{113d8}\u{113e1}-\u{113e2}\u{116d0}-\u{116e3}`,
  String.raw`\u{11b60}-\u{11b67}\u{11bc0}-\u{11be1}\u{11bf0}-\u{11bf9}\u{11db0}-\u{11ddb}\u{11de0}-\u{11de9}`,
  String.raw`\u{11f5a}\u{13460}-\u{143fa}\u{16100}-\u{16139}\u{16d40}-\u{16d79}\u{16ea0}-\u{16eb8}`,
  String.raw`\u{16ebb}-\u{16ed3}\u{16ff2}-\u{16ff6}\u{187f8}-\u{187ff}\u{18cff}\u{18d09}-\u{18d1e}`,
  String.raw`\u{18d80}-\u{18df2}\u{1cc00}-\u{1ccfc}\u{1cd00}-\u{1ceb3}\u{1ceba}-\u{1ced0}\u{1cee0}-\u{1cef0}`,
  String.raw`\u{1e5d0}-\u{1e5fa}\u{1e5ff}\u{1e6c0}-\u{1e6de}\u{1e6e0}-\u{1e6f5}\u{1e6fe}-\u{1e6ff}\u{1f6d8}`,
  String.raw`\u{1f777}-\u{1f77a}\u{1f8b2}-\u{1f8bb}\u{1f8c0}-\u{1f8c1}\u{1f8d0}-\u{1f8d8}\u{1fa54}-\u{1fa57}`,
  String.raw`\u{1fa89}-\u{1fa8a}\u{1fa8e}-\u{1fa8f}\u{1fabe}\u{1fac6}\u{1fac8}\u{1facd}\u{1fadc}\u{1fadf}`,
  String.raw`\u{1fae9}-\u{1faea}\u{1faef}\u{1fbcb}-\u{1fbef}\u{1fbfa}\u{2b73a}-\u{2b73f}\u{2cea2}-\u{2cead}`,
  String.raw`\u{323b0}-\u{33479}`,
];

const newerCharacter: RegExp = new RegExp(`[${newerRanges.join('')}]`, 'u');
const newerCharacters: RegExp = new RegExp(newerCharacter.source, 'gu');

export function hasNewerCharacters(text: string): boolean {
  return newerCharacter.test(text);
}

/** The text with noncharacters of equal length (UTF-16) in their place, which are of no class anywhere. */
export function maskNewerCharacters(text: string): string {
  return text.replaceAll(newerCharacters, (character) => (character.length === 1 ? '\ufffe' : '\u{1fffe}'));
}

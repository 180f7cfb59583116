import { expect } from 'vitest';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { readJsonGz, trimmedTokenizers } from './tokenizer-cases.ts';

const charactersPerText = 64;

/** Compares the ids of every character of Unicode with the reference's: `NAME-characters.json.gz`, see the README there. */
export function expectCharacters(tokenizer: Tokenizer, name: string): void {
  const runs = readJsonGz(`${trimmedTokenizers}${name}-characters.json.gz`) as readonly (readonly [
    count: number,
    ids: string,
  ])[];
  const expected = runs.flatMap(([count, ids]) => Array<string>(count).fill(ids));
  const texts = characterTexts();
  expect(expected).toHaveLength(texts.length);
  const different = texts.filter((text, index) => tokenizer.encode(text).join(' ') !== expected[index]);
  expect(different).toEqual([]);
}

function characterTexts(): readonly string[] {
  const characters: string[] = [];
  for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
    if (codePoint < 0xd800 || codePoint > 0xdfff) characters.push(String.fromCodePoint(codePoint));
  }
  const texts: string[] = [];
  for (let start = 0; start < characters.length; start += charactersPerText) {
    texts.push(`a${characters.slice(start, start + charactersPerText).join('')}a`);
  }
  return texts.concat(characters.slice(0, 0x10000).map((character) => `a${character}b`));
}

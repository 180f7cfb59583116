import { expect, test } from 'vitest';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import {
  compareTokenizer,
  readTokenizerCases,
  readVocabularyMetadata,
  trimmedTokenizers,
  vocabularyNames,
} from '../support/tokenizer-cases.ts';

test.each(vocabularyNames(trimmedTokenizers))('%s: ids and bytes of the reference', (name) => {
  const tokenizer = createTokenizer(readVocabularyMetadata(trimmedTokenizers, name));
  const { compared, differences } = compareTokenizer(tokenizer, readTokenizerCases(trimmedTokenizers, name));
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(300);
});

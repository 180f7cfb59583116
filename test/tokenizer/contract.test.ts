import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { tokenizerContract } from '../contract/tokenizer.ts';
import { readVocabularyMetadata, trimmedTokenizers } from '../support/tokenizer-cases.ts';

for (const name of ['gpt-2', 'qwen2', 'llama-spm']) {
  tokenizerContract(name, createTokenizer(readVocabularyMetadata(trimmedTokenizers, name)));
}

for (const name of ['bert-bge', 'unigram']) {
  tokenizerContract(name, createTokenizer(readVocabularyMetadata(trimmedTokenizers, name)), {
    lossless: false,
  });
}

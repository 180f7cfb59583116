import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import type { Metadata } from '../../src/gguf/metadata.ts';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import type { VocabularyTokenizer } from '../../src/tokenizer/vocabulary-tokenizer.ts';
import {
  compareTokenizer,
  readTokenizerCases,
  readVocabularyMetadata,
  vocabularyNames,
} from '../support/tokenizer-cases.ts';
import { conformanceFolder } from './conformance-folder.ts';

const vocabularies = join(conformanceFolder(), 'tokenizers');
const tinyModels = join(conformanceFolder(), 'tiny-models');
const table: Record<string, string | number>[] = [];
const unsupported: string[] = [];

/** Kinds that this version promises: one of these may not be reported as unsupported. */
const promised: ReadonlySet<string> = new Set(['gpt2', 'llama', 'gemma4', 'bert', 't5']);

afterAll(() => {
  console.table(table);
  console.log(`Not supported yet: ${unsupported.join(', ') || 'none'}`);
});

/** The tokenizer, or nothing for a kind that is not promised, which is then listed by name. */
function tokenizerOf(name: string, metadata: Metadata): VocabularyTokenizer | undefined {
  const model = metadata.string('tokenizer.ggml.model');
  try {
    return createTokenizer(metadata);
  } catch (error) {
    if (promised.has(model) || !RivuletError.isInstance(error) || error.code !== 'TOKENIZER_UNSUPPORTED')
      throw error;
    unsupported.push(`${name} (${model})`);
    return undefined;
  }
}

describe('vocabularies', () => {
  test.each(vocabularyNames(vocabularies))('%s', (name) => {
    const metadata = readVocabularyMetadata(vocabularies, name);
    const startMs = performance.now();
    const tokenizer = tokenizerOf(name, metadata);
    if (tokenizer === undefined) return;
    tokenizer.encode('ready');
    const readyMs = performance.now() - startMs;
    const { compared, differences } = compareTokenizer(tokenizer, readTokenizerCases(vocabularies, name));
    table.push({
      vocabulary: name,
      kind: tokenizer.kind,
      tokens: tokenizer.vocabularySize,
      'ready (ms)': Math.round(readyMs),
      compared,
      different: differences.length,
    });
    expect(differences).toEqual([]);
  });
});

interface Tokenization {
  readonly text: string;
  readonly special: readonly number[];
  readonly plain: readonly number[];
}

describe('tiny models', () => {
  const names = readdirSync(tinyModels).flatMap((file) => /^(.*)\.gguf$/.exec(file)?.[1] ?? []);

  test.each(names)('%s', (name) => {
    const file = `${name}.gguf`;
    const { metadata } = parseGgufHeader(readFileSync(join(tinyModels, file)), { name: file });
    const { tokenization } = JSON.parse(readFileSync(join(tinyModels, `${name}.json`), 'utf8')) as {
      tokenization: readonly Tokenization[];
    };
    expect(tokenization.length).toBeGreaterThan(0);
    const tokenizer = tokenizerOf(name, metadata);
    if (tokenizer === undefined) return;
    const found = tokenization.map(({ text }) => ({
      text,
      special: Array.from(tokenizer.encode(text, { parseSpecial: true, addSpecial: true })),
      plain: Array.from(tokenizer.encode(text)),
    }));
    expect(found).toEqual(tokenization);
  });
});

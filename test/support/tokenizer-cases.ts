import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Metadata } from '../../src/gguf/metadata.ts';
import { parseGgufHeader } from '../../src/gguf/parse-header.ts';
import type { VocabularyTokenizer } from '../../src/tokenizer/vocabulary-tokenizer.ts';

/** One file of `tokenizers/`, see the README there for the meaning of the keys. */
export interface TokenizerCases {
  readonly vocabulary: string;
  readonly vocabSize: number;
  readonly bos: number;
  readonly eos: number;
  readonly eog: readonly number[];
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly cases: readonly {
    readonly text: string;
    readonly plain: readonly number[];
    readonly parseSpecial: readonly number[];
    readonly addSpecial: readonly number[];
    readonly detokenizedHex: string;
  }[];
  readonly detokenize: readonly {
    readonly tokens: readonly number[];
    readonly hex: string;
    readonly hexRemoveSpecial: string;
  }[];
}

/** The small copy that lies in the repository. */
export const trimmedTokenizers: string = fileURLToPath(
  new URL('../conformance/tokenizers/', import.meta.url),
);

/** Names of the vocabularies in a folder. */
export function vocabularyNames(folder: string): readonly string[] {
  return readdirSync(folder)
    .flatMap((file) => /^ggml-vocab-(.*)\.gguf\.gz$/.exec(file)?.[1] ?? [])
    .toSorted();
}

export function readTokenizerCases(folder: string, name: string): TokenizerCases {
  return readJsonGz(join(folder, `${name}.json.gz`)) as TokenizerCases;
}

export function readJsonGz(path: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(path)).toString());
}

export function readVocabularyMetadata(folder: string, name: string): Metadata {
  const file = `ggml-vocab-${name}.gguf.gz`;
  return parseGgufHeader(gunzipSync(readFileSync(join(folder, file))), { name: file }).metadata;
}

/** What differs from the reference, and how much was compared. */
export interface TokenizerComparison {
  readonly compared: number;
  readonly differences: readonly string[];
}

export function compareTokenizer(
  tokenizer: VocabularyTokenizer,
  expected: TokenizerCases,
): TokenizerComparison {
  const differences: string[] = [];
  let compared = 0;
  const compare = (what: string, found: unknown, wanted: unknown): void => {
    compared++;
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    differences.push(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);
  };
  compare('vocabSize', tokenizer.vocabularySize, expected.vocabSize);
  compare('bos', tokenizer.bosId, expected.bos);
  compare('eos', tokenizer.eosId, expected.eos);
  compare('addBos', tokenizer.addBos, expected.addBos);
  compare('addEos', tokenizer.addEos, expected.addEos);
  compare(
    'eog',
    Array.from(tokenizer.endIds).toSorted((a, b) => a - b),
    expected.eog,
  );
  for (const { text, plain, parseSpecial, addSpecial, detokenizedHex } of expected.cases) {
    const label = JSON.stringify(text.slice(0, 60));
    compare(`plain ${label}`, Array.from(tokenizer.encode(text)), plain);
    compare(
      `parseSpecial ${label}`,
      Array.from(tokenizer.encode(text, { parseSpecial: true })),
      parseSpecial,
    );
    compare(
      `addSpecial ${label}`,
      Array.from(tokenizer.encode(text, { parseSpecial: true, addSpecial: true })),
      addSpecial,
    );
    compare(`detokenized ${label}`, hexOf(tokenizer.decodeBytes(plain, { special: true })), detokenizedHex);
  }
  for (const { tokens, hex, hexRemoveSpecial } of expected.detokenize) {
    compare(`hex ${tokens.join(' ')}`, hexOf(tokenizer.decodeBytes(tokens, { special: true })), hex);
    compare(`hexRemoveSpecial ${tokens.join(' ')}`, hexOf(tokenizer.decodeBytes(tokens)), hexRemoveSpecial);
  }
  return { compared, differences };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

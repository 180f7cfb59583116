import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import { StringList } from '../gguf/string-list.ts';
import { BytePairEncoder } from './byte-pair-encoder.ts';
import { CharacterMap } from './character-map.ts';
import { PieceNormalizer } from './piece-normalizer.ts';
import { defaultPreTokenizer, type PreTokenizer, preTokenizers } from './pre-tokenizers.ts';
import { SentencePieceEncoder } from './sentence-piece-encoder.ts';
import { assignRoles, type RoleDefaults, type SpecialRoles } from './special-roles.ts';
import { applyStripRules } from './strip-rules.ts';
import { specialAttributes } from './token-attributes.ts';
import { UnigramEncoder } from './unigram-encoder.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';
import { type TokenizerParts, VocabularyTokenizer } from './vocabulary-tokenizer.ts';
import { WordNormalizer } from './word-normalizer.ts';
import { WordPieceEncoder } from './word-piece-encoder.ts';

const supportedModels =
  'gpt2 and gemma4 (byte-pair merges), llama (SentencePiece), bert (WordPiece), t5 (Unigram)';

/** What other values of `tokenizer.ggml.model` mean, for the message. */
const unsupportedModels: ReadonlyMap<string, string> = new Map([
  ['rwkv', 'RWKV'],
  ['plamo2', 'PLaMo 2'],
  ['hybriddna', 'byte-pair merges with DNA k-mers'],
  ['whitespace', 'white-space words'],
  ['no_vocab', 'no vocabulary'],
  ['none', 'no vocabulary'],
]);

/**
 * Builds the tokenizer that a file describes.
 *
 * @throws {RivuletError} `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`, `METADATA_MISSING`, `METADATA_WRONG_TYPE`
 */
export function createTokenizer(metadata: Metadata): VocabularyTokenizer {
  const model = metadata.string('tokenizer.ggml.model');
  if (model === 'llama') return createSentencePiece(metadata);
  if (model === 'gpt2') return createBytePair(metadata, metadata.optionalString('tokenizer.ggml.pre') ?? '');
  if (model === 'gemma4') return createBytePair(metadata, 'gemma4');
  if (model === 'bert') return createWordPiece(metadata);
  if (model === 't5') return createUnigram(metadata);
  const kind = unsupportedModels.get(model) ?? 'an unknown kind';
  throw new RivuletError(
    'TOKENIZER_UNSUPPORTED',
    `Expected a vocabulary of one of the kinds ${supportedModels}, found "${model}" (${kind}). Use a model with one of these vocabularies.`,
    { details: { model, kind } },
  );
}

function createSentencePiece(metadata: Metadata): VocabularyTokenizer {
  const vocabulary = readVocabulary(metadata);
  const warnings: string[] = [];
  const declared = specialTexts(vocabulary);
  const roles = assignRoles(metadata, vocabulary, { bosId: 1, eosId: 2, unknownId: 0 });
  applyStripRules(metadata, vocabulary);
  const addSpacePrefix = metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? true;
  return new VocabularyTokenizer({
    kind: 'spm',
    vocabulary,
    roles,
    encoder: new SentencePieceEncoder(vocabulary, addSpacePrefix, roles.unknownId),
    spelling: 'escaped-spaces',
    ...endMarks(metadata, { addBos: true }, roles, warnings),
    addSpacePrefix,
    cleanSpaces: false,
    controlTexts: Array.from(new Set([...declared, ...specialTexts(vocabulary)])),
    warnings,
  });
}

function createBytePair(metadata: Metadata, preTokenizerName: string): VocabularyTokenizer {
  const vocabulary = readVocabulary(metadata);
  const warnings: string[] = [];
  const preTokenizer = findPreTokenizer(preTokenizerName, warnings);
  // Kimi K2 files come without merges, and the reference reads them so.
  const merges =
    preTokenizerName === 'kimi-k2'
      ? (metadata.optionalStringList('tokenizer.ggml.merges') ?? StringList.from([]))
      : metadata.stringList('tokenizer.ggml.merges');
  const declared = specialTexts(vocabulary);
  const roles = assignRoles(metadata, vocabulary, bytePairDefaults(metadata, preTokenizer));
  applyStripRules(metadata, vocabulary);
  const forceBos = preTokenizer.forceBos ?? false;
  return new VocabularyTokenizer({
    kind: 'bpe',
    vocabulary,
    roles,
    encoder: new BytePairEncoder(vocabulary, preTokenizer, merges),
    spelling: preTokenizer.escapeSpaces === true ? 'escaped-spaces' : 'byte-level',
    ...endMarks(metadata, { addBos: preTokenizer.addBos ?? false, forceBos }, roles, warnings),
    addSpacePrefix: metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? false,
    cleanSpaces: preTokenizer.cleanSpaces ?? true,
    controlTexts: Array.from(new Set([...declared, ...specialTexts(vocabulary)])),
    warnings,
  });
}

function createWordPiece(metadata: Metadata): VocabularyTokenizer {
  const vocabulary = readVocabulary(metadata);
  const warnings: string[] = [];
  const declared = specialTexts(vocabulary);
  const roles = assignRoles(metadata, vocabulary, {
    bosId: 101,
    eosId: -1,
    unknownId: 100,
    paddingId: 0,
    separatorId: 102,
  });
  applyStripRules(metadata, vocabulary);
  const lowercase = metadata.optionalBoolean('tokenizer.ggml.normalizer.lowercase') ?? true;
  const stripAccents = metadata.optionalBoolean('tokenizer.ggml.normalizer.strip_accents') ?? lowercase;
  const normalizer = new WordNormalizer({ lowercase, stripAccents });
  // The reference asks no key here: a text of these models always stands between the two.
  const { bosId, separatorId } = roles;
  if (bosId === -1) warnings.push(missingMark('beginning'));
  if (separatorId === -1) warnings.push(missingMark('separator'));
  return new VocabularyTokenizer({
    kind: 'wordpiece',
    vocabulary,
    roles,
    encoder: new WordPieceEncoder(vocabulary, normalizer, roles.unknownId),
    spelling: 'escaped-spaces',
    addBos: bosId !== -1,
    addEos: false,
    addSeparator: separatorId !== -1,
    addSpacePrefix: metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? false,
    cleanSpaces: true,
    controlTexts: Array.from(new Set([...declared, ...specialTexts(vocabulary)])),
    warnings,
  });
}

function createUnigram(metadata: Metadata): VocabularyTokenizer {
  const vocabulary = readVocabulary(metadata);
  const warnings: string[] = [];
  const declared = specialTexts(vocabulary);
  const roles = assignRoles(metadata, vocabulary, { bosId: -1, eosId: 1, unknownId: 2, paddingId: 0 });
  applyStripRules(metadata, vocabulary);
  const addSpacePrefix = metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? false;
  const mergeSpaces = metadata.optionalBoolean('tokenizer.ggml.remove_extra_whitespaces') ?? false;
  const map = metadata.optionalNumbers('tokenizer.ggml.precompiled_charsmap');
  const characterMap = map === undefined ? undefined : new CharacterMap(Uint8Array.from(map));
  const normalizer = new PieceNormalizer({ characterMap, addSpacePrefix, mergeSpaces });
  return new VocabularyTokenizer({
    kind: 'unigram',
    vocabulary,
    roles,
    encoder: new UnigramEncoder(vocabulary, normalizer, roles.unknownId),
    spelling: 'escaped-spaces',
    ...endMarks(metadata, { addBos: false, addEos: true }, roles, warnings),
    addSpacePrefix,
    cleanSpaces: false,
    controlTexts: Array.from(new Set([...declared, ...specialTexts(vocabulary)])),
    warnings,
  });
}

function findPreTokenizer(name: string, warnings: string[]): PreTokenizer {
  const known = preTokenizers.get(name);
  if (known !== undefined) return known;
  const found = name === '' ? 'no pre-tokenizer' : `the unknown pre-tokenizer "${name}"`;
  warnings.push(
    `The file names ${found} (tokenizer.ggml.pre); words are split by the default rule, which may not be how the model was trained.`,
  );
  return defaultPreTokenizer;
}

/** llama.cpp takes token 11 (Falcon's) where a file names none. */
function bytePairDefaults(metadata: Metadata, preTokenizer: PreTokenizer): RoleDefaults {
  if (metadata.string('tokenizer.ggml.model') === 'gemma4') return { bosId: -1, eosId: -1, unknownId: -1 };
  return { bosId: preTokenizer.withoutDefaultBos === true ? -1 : 11, eosId: 11, unknownId: -1 };
}

/** Which marks go around a text: what the metadata says, else what the kind of vocabulary does. */
function endMarks(
  metadata: Metadata,
  kind: { readonly addBos: boolean; readonly forceBos?: boolean; readonly addEos?: boolean },
  roles: SpecialRoles,
  warnings: string[],
): Pick<TokenizerParts, 'addBos' | 'addEos'> {
  const wantsBos =
    kind.forceBos === true || (metadata.optionalBoolean('tokenizer.ggml.add_bos_token') ?? kind.addBos);
  const wantsEos = metadata.optionalBoolean('tokenizer.ggml.add_eos_token') ?? kind.addEos ?? false;
  for (const [wanted, id, name] of [
    [wantsBos, roles.bosId, 'beginning'],
    [wantsEos, roles.eosId, 'end'],
  ] as const) {
    if (wanted && id === -1) warnings.push(missingMark(name));
  }
  return { addBos: wantsBos && roles.bosId !== -1, addEos: wantsEos && roles.eosId !== -1 };
}

function missingMark(name: string): string {
  return `The vocabulary wants a ${name} token around texts, but names none that exists; none is added.`;
}

function specialTexts(vocabulary: Vocabulary): readonly string[] {
  const texts: string[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    if (vocabulary.hasAttribute(id, specialAttributes)) texts.push(vocabulary.textOf(id));
  }
  return texts;
}

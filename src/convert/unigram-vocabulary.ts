import type { WritableValue } from '../gguf/writable-value.ts';
import { decodeBase64 } from './decode-base64.ts';
import {
  addedTokens,
  type ConvertedVocabulary,
  findRoles,
  invalidVocabulary,
  requireTokenCount,
  roleTexts,
  tokenTypes,
  unsupportedVocabulary,
} from './converted-vocabulary.ts';
import type { JsonFields } from './json-fields.ts';

const usualRoles = {
  cls: '<s>',
  separator: '</s>',
  unknown: '<unk>',
  padding: '<pad>',
  mask: '<mask>',
} as const;

/** What llama.cpp's converter gives to ids without a token. */
const unusedScore = -10_000;

const wordMark = '\u2581';

/**
 * Reads a Unigram vocabulary (XLM-RoBERTa and its kin) from `tokenizer.json`.
 * @param size tokens of the embedding table; ids without a token become unused ones
 * @throws {RivuletError} `TOKENIZER_UNSUPPORTED`, `TOKENIZER_INVALID`, `METADATA_WRONG_TYPE`
 */
export function readUnigramVocabulary(
  tokenizer: JsonFields,
  settings: JsonFields | undefined,
  size: number,
): ConvertedVocabulary {
  const model = tokenizer.optionalObject('model');
  if (model === undefined || model.optionalBoolean('byte_fallback') === true)
    throw unsupportedVocabulary('Unigram with byte tokens');
  requireTokenCount(size);
  const texts = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = Array<number>(size).fill(tokenTypes.unused);
  const scores = Array<number>(size).fill(unusedScore);
  const ids = new Map<string, number>();
  const pieces = model.optionalList('vocab') ?? [];
  const place = (id: number, text: string, type: number, score: number): void => {
    if (id >= size) throw invalidVocabulary(`a token with the id ${id}`, `ids below ${size}`);
    [texts[id], types[id], scores[id]] = [text, type, score];
    ids.set(text, id);
  };
  pieces.forEach((piece, id) => {
    const [text, score]: readonly unknown[] = Array.isArray(piece) ? piece : [];
    if (typeof text !== 'string' || typeof score !== 'number')
      throw invalidVocabulary(`something else as the token ${id}`, 'texts with scores');
    place(id, text, tokenTypes.normal, score);
  });
  for (const { id, text, special } of addedTokens(tokenizer)) {
    const type = special ? tokenTypes.control : tokenTypes.userDefined;
    place(id, text, type, id < pieces.length ? (scores[id] ?? 0) : 0);
  }
  const unknownId = model.optionalCount('unk_id');
  if (unknownId !== undefined && unknownId < size) types[unknownId] = tokenTypes.unknown;
  const roleIds = new Map(findRoles(roleTexts(settings, usualRoles), ids));
  if (unknownId !== undefined && unknownId < size) roleIds.set('unknown', unknownId);
  const { entries, warnings } = readRules(tokenizer);
  return {
    model: 't5',
    texts,
    types,
    roleIds,
    doubleSeparator: hasDoubleSeparator(tokenizer.optionalObject('post_processor')),
    settings: [['tokenizer.ggml.scores', { type: 'array', items: 'f32', value: scores }], ...entries],
    warnings,
  };
}

/** How a text is changed before it is split. */
function readRules(tokenizer: JsonFields): {
  readonly entries: readonly (readonly [string, WritableValue])[];
  readonly warnings: readonly string[];
} {
  const normalizers = flatten(tokenizer.optionalObject('normalizer'), 'normalizers');
  const splitters = flatten(tokenizer.optionalObject('pre_tokenizer'), 'pretokenizers');
  const metaspace = splitters.find((step) => step.optionalString('type') === 'Metaspace');
  const splitsWords = splitters.some((step) => step.optionalString('type') === 'WhitespaceSplit');
  const mergesSpaces = normalizers.some(mergesRuns) || splitsWords;
  const map = normalizers
    .find((step) => step.optionalString('type') === 'Precompiled')
    ?.optionalString('precompiled_charsmap');
  const others = [
    ...normalizers.filter((step) => !isKnownNormalizer(step)),
    ...splitters.filter((step) => !/^(?:Metaspace|WhitespaceSplit)$/.test(step.string('type'))),
  ].map((step) => step.string('type'));
  if ((metaspace?.optionalString('replacement') ?? wordMark) !== wordMark) others.push('another word mark');
  const addsPrefix =
    metaspace !== undefined &&
    metaspace.optionalBoolean('add_prefix_space') !== false &&
    metaspace.optionalString('prepend_scheme') !== 'never';
  const flag = (value: boolean): WritableValue => ({ type: 'bool', value });
  return {
    entries: [
      ['tokenizer.ggml.add_space_prefix', flag(addsPrefix)],
      ['tokenizer.ggml.remove_extra_whitespaces', flag(mergesSpaces)],
      ...(map === undefined || map === ''
        ? []
        : [
            [
              'tokenizer.ggml.precompiled_charsmap',
              { type: 'array', items: 'u8', value: decodeBase64(map) },
            ] as const,
          ]),
    ],
    warnings:
      others.length === 0
        ? []
        : [`The model changes texts in ways that a GGUF file cannot say: ${others.join(', ')}.`],
  };
}

/** The steps of a rule, which may be a sequence of rules. */
function flatten(rule: JsonFields | undefined, steps: string): readonly JsonFields[] {
  if (rule === undefined) return [];
  return rule.optionalString('type') === 'Sequence' ? (rule.optionalObjects(steps) ?? []) : [rule];
}

/** Whether a step makes one space of several. */
function mergesRuns(step: JsonFields): boolean {
  if (step.optionalString('type') !== 'Replace') return false;
  return / \{2,\}| \+|\\s\+/.test(step.optionalObject('pattern')?.optionalString('Regex') ?? '');
}

function isKnownNormalizer(step: JsonFields): boolean {
  return /^(?:Precompiled|Strip)$/.test(step.string('type')) || mergesRuns(step);
}

/** Whether `<s> A </s></s> B </s>` is how two texts go together. */
function hasDoubleSeparator(processor: JsonFields | undefined): boolean {
  if (processor?.optionalString('type') === 'RobertaProcessing') return true;
  const pair = processor?.optionalObjects('pair') ?? [];
  const sequences = pair.flatMap((part, at) => (part.has('Sequence') ? [at] : []));
  return (sequences[1] ?? 0) - (sequences[0] ?? 0) === 3;
}

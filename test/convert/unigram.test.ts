import { describe, expect, test } from 'vitest';
import { convertModel } from '../../src/convert/convert-model.ts';
import { type GgufHeader, parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { collectingSink } from '../source/memory-source.ts';
import {
  compareTokenizer,
  readTokenizerCases,
  readVocabularyMetadata,
  trimmedTokenizers,
} from '../support/tokenizer-cases.ts';
import { makeSafetensors, type TensorContent } from './make-safetensors.ts';
import {
  bertConfig,
  bertFiles,
  bertTensors,
  dimensions,
  type Files,
  modelFiles,
  values,
} from './tiny-bert.ts';

interface Result extends GgufHeader {
  readonly bytes: Buffer;
  readonly warnings: readonly string[];
}

async function convert(files: Files): Promise<Result> {
  const sink = collectingSink();
  const { warnings } = await convertModel(modelFiles(files), sink, { modelName: 'tiny', type: 'F32' });
  const bytes = sink.bytes();
  return { ...parseGgufHeader(bytes, { name: 'tiny', fileBytes: bytes.length }), bytes, warnings };
}

const original = readVocabularyMetadata(trimmedTokenizers, 'unigram');
const texts = original.strings('tokenizer.ggml.tokens');
const types = original.numbers('tokenizer.ggml.token_type');
const scores = original.numbers('tokenizer.ggml.scores');
const map = Buffer.from(Uint8Array.from(original.numbers('tokenizer.ggml.precompiled_charsmap')));

const precompiled = { type: 'Precompiled', precompiled_charsmap: map.toString('base64') };
const metaspace = { type: 'Metaspace', replacement: '▁', add_prefix_space: true };

/** The vocabulary of the conformance data as `tokenizer.json` has it. */
const tokenizer = {
  model: { type: 'Unigram', unk_id: 2, vocab: texts.map((text, id) => [text, scores[id]]) },
  added_tokens: texts.flatMap((content, id) =>
    types[id] === 1 ? [] : [{ id, content, special: types[id] !== 4 }],
  ),
  normalizer: {
    type: 'Sequence',
    normalizers: [precompiled, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
  },
  pre_tokenizer: metaspace,
  post_processor: {
    type: 'TemplateProcessing',
    pair: [
      { SpecialToken: { id: '</s>' } },
      { Sequence: { id: 'A' } },
      { SpecialToken: { id: '</s>' } },
      { SpecialToken: { id: '</s>' } },
      { Sequence: { id: 'B' } },
      { SpecialToken: { id: '</s>' } },
    ],
  },
};

const offset = 2;

function roberta(changes: Files = {}, tensorChanges: Record<string, TensorContent> = {}): Files {
  const words = texts.length * dimensions.embedding;
  const positions = (dimensions.positions + offset) * dimensions.embedding;
  return bertFiles({
    'config.json': {
      ...bertConfig,
      architectures: ['XLMRobertaModel'],
      max_position_embeddings: dimensions.positions + offset,
      pad_token_id: 1,
      vocab_size: texts.length,
    },
    'vocab.txt': undefined,
    'tokenizer.json': tokenizer,
    'model.safetensors': makeSafetensors({
      ...bertTensors(),
      'embeddings.word_embeddings.weight': {
        dtype: 'F32',
        shape: [texts.length, dimensions.embedding],
        bytes: new Uint8Array(values(words, 3).buffer),
      },
      'embeddings.position_embeddings.weight': {
        dtype: 'F32',
        shape: [dimensions.positions + offset, dimensions.embedding],
        bytes: new Uint8Array(values(positions, 5).buffer),
      },
      ...tensorChanges,
    }),
    ...changes,
  });
}

test('its vocabulary gives the ids of the reference', async () => {
  const { metadata, warnings } = await convert(roberta());
  expect(warnings).toEqual([]);
  for (const key of ['tokens', 'scores', 'token_type', 'precompiled_charsmap', 'add_space_prefix'].concat([
    'remove_extra_whitespaces',
    'eos_token_id',
    'unknown_token_id',
    'padding_token_id',
    'model',
  ])) {
    const name = `tokenizer.ggml.${key}`;
    expect([key, metadata.entries.get(name)]).toEqual([key, original.entries.get(name)]);
  }
  expect(metadata.optionalBoolean('tokenizer.ggml.add_sep_token')).toBe(true);
  const expected = readTokenizerCases(trimmedTokenizers, 'unigram');
  expect(compareTokenizer(createTokenizer(metadata), expected).differences).toEqual([]);
});

test('its positions begin after the padding token', async () => {
  const { metadata, tensors, bytes } = await convert(roberta());
  expect(metadata.number('bert.context_length')).toBe(dimensions.positions);
  const info = tensors.find(({ name }) => name === 'position_embd.weight');
  expect(info?.shape).toEqual([dimensions.embedding, dimensions.positions]);
  const all = values((dimensions.positions + offset) * dimensions.embedding, 5);
  const kept = Buffer.from(all.buffer).subarray(offset * dimensions.embedding * 4);
  const found = bytes.subarray(info?.offset, (info?.offset ?? 0) + (info?.byteLength ?? 0));
  expect(found.equals(kept)).toBe(true);
});

test('a classifier has its own two layers', async () => {
  const layer = (shape: number[]): TensorContent => ({
    dtype: 'F32',
    shape,
    bytes: new Uint8Array(shape.reduce((product, length) => product * length, 4)),
  });
  const config = { ...(roberta()['config.json'] as object), id2label: { 0: 'LABEL_0' } };
  const { tensors, metadata } = await convert(
    roberta(
      { 'config.json': { ...config, architectures: ['XLMRobertaForSequenceClassification'] } },
      {
        'classifier.dense.weight': layer([32, 32]),
        'classifier.dense.bias': layer([32]),
        'classifier.out_proj.weight': layer([1, 32]),
        'classifier.out_proj.bias': layer([1]),
      },
    ),
  );
  expect(metadata.number('bert.pooling_type')).toBe(4);
  expect(tensors.slice(-4).map(({ name, shape }) => [name, shape])).toEqual([
    ['cls.weight', [32, 32]],
    ['cls.bias', [32]],
    ['cls.output.weight', [32, 1]],
    ['cls.output.bias', [1]],
  ]);
});

describe('rules', () => {
  const rules = async (changes: object): Promise<Result> =>
    convert(roberta({ 'tokenizer.json': { ...tokenizer, ...changes } }));

  test.each([
    ['words split at spaces', { normalizer: precompiled, pre_tokenizer: split(metaspace) }, true, true],
    ['spaces kept', { normalizer: precompiled }, true, false],
    [
      'no space before the first word',
      { pre_tokenizer: { ...metaspace, add_prefix_space: false } },
      false,
      true,
    ],
    [
      'none ever',
      { pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never' } },
      false,
      true,
    ],
  ])('%s', async (_, changes, prefix, merge) => {
    const { metadata, warnings } = await rules(changes);
    expect(warnings).toEqual([]);
    expect(metadata.optionalBoolean('tokenizer.ggml.add_space_prefix')).toBe(prefix);
    expect(metadata.optionalBoolean('tokenizer.ggml.remove_extra_whitespaces')).toBe(merge);
  });

  test('what a file cannot say is a warning', async () => {
    const { metadata, warnings } = await rules({ normalizer: { type: 'Lowercase' } });
    expect(warnings).toEqual([expect.stringContaining('Lowercase')]);
    expect(metadata.has('tokenizer.ggml.precompiled_charsmap')).toBe(false);
  });

  test.each([
    ['byte tokens', { model: { ...tokenizer.model, byte_fallback: true } }, 'TOKENIZER_UNSUPPORTED'],
    ['pieces without scores', { model: { ...tokenizer.model, vocab: ['a'] } }, 'TOKENIZER_INVALID'],
    [
      'a token beyond the table',
      { added_tokens: [{ id: texts.length, content: 'x', special: true }] },
      'TOKENIZER_INVALID',
    ],
    [
      'a map that is no base64',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: '!' } },
      'TOKENIZER_INVALID',
    ],
  ])('%s are a typed error', async (_, changes, code) => {
    await expect(rules(changes)).rejects.toMatchObject({ code });
  });
});

function split(last: object): object {
  return { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, last] };
}

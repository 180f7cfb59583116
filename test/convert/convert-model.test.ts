import { describe, expect, test } from 'vitest';
import { convertModel, type ConvertOptions } from '../../src/convert/convert-model.ts';
import type { Progress } from '../../src/events.ts';
import { type GgufHeader, parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { dequantize } from '../../src/quant/dequantize.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { collectingSink } from '../source/memory-source.ts';
import { makeSafetensors, type TensorContent } from './make-safetensors.ts';
import {
  bertConfig,
  bertFiles,
  bertTensors,
  dimensions,
  type Files,
  modelFiles,
  values,
  vocabularyLines,
} from './tiny-bert.ts';

interface Result extends GgufHeader {
  readonly bytes: Buffer;
  readonly warnings: readonly string[];
  tensor(name: string): Float32Array;
}

async function convert(files: Files, options: Partial<ConvertOptions> = {}): Promise<Result> {
  const sink = collectingSink();
  const { bytes: length, warnings } = await convertModel(modelFiles(files), sink, {
    modelName: 'tiny',
    ...options,
  });
  const bytes = sink.bytes();
  expect(bytes).toHaveLength(length);
  const header = parseGgufHeader(bytes, { name: 'tiny', fileBytes: bytes.length });
  return {
    ...header,
    bytes,
    warnings,
    tensor(name) {
      const info = header.tensors.find((each) => each.name === name);
      if (info === undefined) throw new Error(`No tensor ${name}.`);
      return dequantize(
        info.type,
        bytes.subarray(info.offset, info.offset + info.byteLength),
        info.elementCount,
      );
    },
  };
}

describe('a BertModel', () => {
  test('has the keys that llama.cpp reads', async () => {
    const { metadata, warnings } = await convert(bertFiles());
    expect(Object.fromEntries(metadata.entries)).toMatchObject({
      'general.architecture': 'bert',
      'general.name': 'tiny',
      'general.file_type': 1,
      'bert.block_count': 2,
      'bert.context_length': 16,
      'bert.embedding_length': 32,
      'bert.feed_forward_length': 48,
      'bert.attention.head_count': 4,
      'bert.attention.layer_norm_epsilon': Math.fround(1e-12),
      'bert.attention.causal': false,
      'bert.pooling_type': 1,
      'tokenizer.ggml.model': 'bert',
      'tokenizer.ggml.token_type_count': 2,
      'tokenizer.ggml.tokens': [
        '[PAD]',
        '[UNK]',
        '[CLS]',
        '[SEP]',
        '[MASK]',
        '▁the',
        '▁cat',
        's',
        '▁!',
        '▁sat',
        'ting',
        '[PAD11]',
      ],
      'tokenizer.ggml.token_type': Int32Array.of(3, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 5),
      'tokenizer.ggml.bos_token_id': 2,
      'tokenizer.ggml.cls_token_id': 2,
      'tokenizer.ggml.eos_token_id': 3,
      'tokenizer.ggml.seperator_token_id': 3,
      'tokenizer.ggml.unknown_token_id': 1,
      'tokenizer.ggml.padding_token_id': 0,
      'tokenizer.ggml.mask_token_id': 4,
    });
    expect(metadata.has('tokenizer.ggml.normalizer.lowercase')).toBe(false);
    expect(warnings).toEqual([]);
    expect(Array.from(createTokenizer(metadata).encode('The cats!', { addSpecial: true }))).toEqual([
      2, 5, 6, 7, 8, 3,
    ]);
  });

  test.each(['F32', 'F16', 'Q8_0'] as const)('has its weights in %s', async (type) => {
    const { tensors, tensor } = await convert(bertFiles(), { type });
    const types = new Map(tensors.map((each) => [each.name, each.type]));
    // A row of 48 is no whole number of blocks.
    expect(types.get('blk.0.ffn_down.weight')).toBe(type === 'Q8_0' ? 'F16' : type);
    expect(types.get('blk.1.ffn_up.weight')).toBe(type);
    expect(types.get('token_embd.weight')).toBe(type);
    for (const name of ['position_embd.weight', 'token_types.weight', 'blk.0.attn_q.bias'])
      expect(types.get(name)).toBe('F32');
    expect(tensors.find(({ name }) => name === 'blk.0.ffn_up.weight')?.shape).toEqual([32, 48]);
    expect(tensors).toHaveLength(5 + 2 * 16);
    const originals = bertTensors();
    for (const [name, from] of [
      ['token_embd.weight', 'embeddings.word_embeddings.weight'],
      ['position_embd.weight', 'embeddings.position_embeddings.weight'],
      ['token_embd_norm.bias', 'embeddings.LayerNorm.bias'],
      ['blk.1.attn_k.weight', 'encoder.layer.1.attention.self.key.weight'],
      ['blk.1.attn_output_norm.weight', 'encoder.layer.1.attention.output.LayerNorm.weight'],
      ['blk.0.layer_output_norm.bias', 'encoder.layer.0.output.LayerNorm.bias'],
      ['blk.0.ffn_down.weight', 'encoder.layer.0.output.dense.weight'],
    ] as const) {
      const original = new Float32Array(Uint8Array.from(originals[from]?.bytes ?? []).buffer);
      const tolerance = types.get(name) === 'F32' ? 0 : types.get(name) === 'F16' ? 2 ** -12 : 0.0023;
      const found = tensor(name);
      expect(found).toHaveLength(original.length);
      found.forEach((value, index) => {
        expect(Math.abs(value - (original[index] as number))).toBeLessThanOrEqual(tolerance);
      });
    }
  });

  test.each(['F16', 'BF16', 'F64'])('reads weights in %s', async (dtype) => {
    const width = dtype === 'F64' ? 8 : 2;
    const bytes = new Uint8Array(32 * width);
    const view = new DataView(bytes.buffer);
    for (let index = 0; index < 32; index++) {
      // -1.5 in each of the types.
      if (dtype === 'F64') view.setFloat64(index * 8, -1.5, true);
      else view.setUint16(index * 2, dtype === 'F16' ? 0xbe00 : 0xbfc0, true);
    }
    const tensors = { ...bertTensors(), 'embeddings.LayerNorm.weight': { dtype, shape: [32], bytes } };
    const { tensor } = await convert(bertFiles({ 'model.safetensors': makeSafetensors(tensors) }));
    expect(tensor('token_embd_norm.weight')).toEqual(new Float32Array(32).fill(-1.5));
  });

  test('comes in parts, under older names, with heads that are left out', async () => {
    const old = Object.entries(bertTensors()).map(([name, content]): [string, TensorContent] => [
      `bert.${name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta')}`,
      content,
    ]);
    const one = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) };
    const positions = { dtype: 'I64', shape: [1, 16], bytes: new Uint8Array(128) };
    const parts = {
      'a-1.safetensors': Object.fromEntries(old.slice(0, 10)),
      'a-2.safetensors': {
        ...Object.fromEntries(old.slice(10)),
        'cls.predictions.bias': one,
        'bert.embeddings.position_ids': positions,
      },
    };
    const weightMap = Object.fromEntries(
      Object.entries(parts).flatMap(([part, tensors]) => Object.keys(tensors).map((name) => [name, part])),
    );
    const { bytes } = await convert(
      bertFiles({
        'config.json': { ...bertConfig, architectures: ['BertForMaskedLM'] },
        'model.safetensors': undefined,
        'model.safetensors.index.json': { weight_map: weightMap },
        ...Object.fromEntries(
          Object.entries(parts).map(([part, tensors]) => [part, makeSafetensors(tensors)]),
        ),
      }),
    );
    expect(bytes.equals((await convert(bertFiles())).bytes)).toBe(true);
  });

  test('takes tokenizer.json before vocab.txt, with what it says about case and roles', async () => {
    const pieces = Object.fromEntries(vocabularyLines.map((text, id) => [text, id]));
    const tokenizer = {
      model: { type: 'WordPiece', continuing_subword_prefix: '##', vocab: pieces },
      normalizer: {
        type: 'BertNormalizer',
        lowercase: false,
        strip_accents: null,
        handle_chinese_chars: false,
      },
      added_tokens: [
        ...[0, 1, 2, 3, 4].map((id) => ({ id, content: vocabularyLines[id], special: true })),
        { id: 11, content: '<sep here>', special: false },
      ],
    };
    const settings = { sep_token: { content: '<sep here>' }, cls_token: '[CLS]', mask_token: 'none such' };
    const { metadata, warnings } = await convert(
      bertFiles({ 'vocab.txt': 'x', 'tokenizer.json': tokenizer, 'tokenizer_config.json': settings }),
    );
    expect(metadata.strings('tokenizer.ggml.tokens').slice(9)).toEqual(['▁sat', 'ting', '<sep here>']);
    expect(metadata.numbers('tokenizer.ggml.token_type')[11]).toBe(4);
    expect(metadata.number('tokenizer.ggml.seperator_token_id')).toBe(11);
    expect(metadata.has('tokenizer.ggml.mask_token_id')).toBe(false);
    expect(metadata.optionalBoolean('tokenizer.ggml.normalizer.lowercase')).toBe(false);
    expect(metadata.has('tokenizer.ggml.normalizer.strip_accents')).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('ideographs')]);
  });

  test.each([
    [{ pooling_mode_cls_token: true }, 2],
    [{ pooling_mode_lasttoken: true }, 3],
    [{ pooling_mode: 'mean' }, 1],
    [undefined, undefined],
  ])('pools as %j says', async (pooling, expected) => {
    const { metadata } = await convert(
      bertFiles({ '1_Pooling/config.json': pooling, 'modules.json': undefined }),
    );
    expect(metadata.optionalNumber('bert.pooling_type')).toBe(expected);
  });
});

test('a classifier has its pooler and outputs, and ranks', async () => {
  const head = (outputs: number): Record<string, TensorContent> => ({
    'classifier.weight': {
      dtype: 'F32',
      shape: [outputs, 32],
      bytes: new Uint8Array(values(outputs * 32, 1).buffer),
    },
    'classifier.bias': { dtype: 'F32', shape: [outputs], bytes: new Uint8Array(outputs * 4) },
  });
  const classifier = (outputs: number, labels?: object): Files =>
    bertFiles({
      'config.json': {
        ...bertConfig,
        architectures: ['BertForSequenceClassification'],
        ...(labels === undefined ? {} : { id2label: labels }),
      },
      'model.safetensors': makeSafetensors({ ...bertTensors(), ...head(outputs) }),
    });
  const score = await convert(classifier(1, { 0: 'LABEL_0' }));
  expect(score.metadata.number('bert.pooling_type')).toBe(4);
  expect(score.metadata.strings('bert.classifier.output_labels')).toEqual(['LABEL_0']);
  expect(score.tensors.slice(-4).map(({ name, shape }) => [name, shape])).toEqual([
    ['cls.weight', [32, 32]],
    ['cls.bias', [32]],
    ['cls.output.weight', [32, 1]],
    ['cls.output.bias', [1]],
  ]);
  const labelled = await convert(classifier(3, { 0: 'no', 1: 'maybe', 2: 'yes' }));
  expect(labelled.metadata.strings('bert.classifier.output_labels')).toEqual(['no', 'maybe', 'yes']);
  const unnamed = await convert(classifier(2));
  expect(unnamed.metadata.strings('bert.classifier.output_labels')).toEqual(['LABEL_0', 'LABEL_1']);
  await expect(convert(classifier(3))).rejects.toMatchObject({ code: 'TENSOR_SHAPE_MISMATCH' });
});

test('a DistilBertModel becomes the same architecture without token types', async () => {
  const renamed = Object.entries(bertTensors())
    .filter(([name]) => !/token_type|pooler/.test(name))
    .map(([name, content]): [string, TensorContent] => [
      name
        .replace('encoder.layer', 'transformer.layer')
        .replace(/attention\.self\.(q|k|v)(?:uery|ey|alue)/, 'attention.$1_lin')
        .replace('attention.output.dense', 'attention.out_lin')
        .replace('attention.output.LayerNorm', 'sa_layer_norm')
        .replace('intermediate.dense', 'ffn.lin1')
        .replace('output.dense', 'ffn.lin2')
        .replace('output.LayerNorm', 'output_layer_norm'),
      content,
    ]);
  const config = {
    architectures: ['DistilBertModel'],
    activation: 'gelu',
    dim: 32,
    hidden_dim: 48,
    n_heads: 4,
    n_layers: 2,
    max_position_embeddings: 16,
    vocab_size: 12,
  };
  const distilled = await convert(
    bertFiles({ 'config.json': config, 'model.safetensors': makeSafetensors(Object.fromEntries(renamed)) }),
  );
  const whole = await convert(bertFiles());
  const names = whole.tensors.map(({ name }) => name).filter((name) => name !== 'token_types.weight');
  expect(distilled.tensors.map(({ name }) => name)).toEqual(names);
  for (const name of names) expect(distilled.tensor(name)).toEqual(whole.tensor(name));
  expect(distilled.metadata.number('tokenizer.ggml.token_type_count')).toBe(1);
});

describe('what cannot be converted is a typed error', () => {
  const config = (changes: object): Files => ({ 'config.json': { ...bertConfig, ...changes } });
  const tensors = (change: (all: Record<string, TensorContent>) => void): Files => {
    const all = bertTensors();
    change(all);
    return { 'model.safetensors': makeSafetensors(all) };
  };
  const bias = 'encoder.layer.1.output.dense.bias';
  const filled = (value: number): Files =>
    tensors((all) => {
      all[bias] = {
        dtype: 'F32',
        shape: [32],
        bytes: new Uint8Array(new Float32Array(32).fill(value).buffer),
      };
    });

  test.each<[string, string, Files]>([
    ['no config', 'SOURCE_NOT_FOUND', { 'config.json': undefined }],
    ['a config that is no JSON', 'SOURCE_UNREADABLE', { 'config.json': 'no' }],
    ['a config that is a list', 'SOURCE_UNREADABLE', { 'config.json': [] }],
    ['another architecture', 'ARCHITECTURE_UNSUPPORTED', config({ architectures: ['LlamaForCausalLM'] })],
    ['no architecture', 'ARCHITECTURE_UNSUPPORTED', config({ architectures: null })],
    ['another activation', 'ARCHITECTURE_UNSUPPORTED', config({ hidden_act: 'relu' })],
    ['relative positions', 'ARCHITECTURE_UNSUPPORTED', config({ position_embedding_type: 'relative_key' })],
    ['a head too many', 'ARCHITECTURE_UNSUPPORTED', config({ num_attention_heads: 5 })],
    ['layers without end', 'ARCHITECTURE_UNSUPPORTED', config({ num_hidden_layers: 2 ** 40 })],
    ['no hidden size', 'METADATA_MISSING', config({ hidden_size: undefined })],
    ['a hidden size that is a text', 'METADATA_WRONG_TYPE', config({ hidden_size: '32' })],
    ['a vocabulary without end', 'TOKENIZER_INVALID', config({ vocab_size: 2 ** 50 })],
    ['a vocabulary that is too small', 'TOKENIZER_INVALID', config({ vocab_size: 4 })],
    ['no vocabulary', 'SOURCE_NOT_FOUND', { 'vocab.txt': undefined }],
    ['another kind of vocabulary', 'TOKENIZER_UNSUPPORTED', { 'tokenizer.json': { model: { type: 'BPE' } } }],
    [
      'one id for two tokens',
      'TOKENIZER_INVALID',
      { 'tokenizer.json': { model: { type: 'WordPiece', vocab: { a: 1, b: 1 } } } },
    ],
    ['a pooling of another kind', 'ARCHITECTURE_UNSUPPORTED', { '1_Pooling/config.json': {} }],
    [
      'a pooling outside the model',
      'ARCHITECTURE_UNSUPPORTED',
      { 'modules.json': [{ type: 'x.Pooling', path: '../..' }] },
    ],
    ['no weights', 'SOURCE_NOT_FOUND', { 'model.safetensors': undefined }],
    [
      'parts outside the model',
      'SOURCE_UNREADABLE',
      { 'model.safetensors.index.json': { weight_map: { a: '../x.safetensors' } } },
    ],
    ['no parts', 'SOURCE_UNREADABLE', { 'model.safetensors.index.json': { weight_map: {} } }],
    ['a tensor too few', 'TENSOR_MISSING', tensors((all) => delete all[bias])],
    [
      'a tensor too many',
      'ARCHITECTURE_UNSUPPORTED',
      tensors((all) => Object.assign(all, { 'encoder.layer.2.x': all[bias] })),
    ],
    ['another shape', 'TENSOR_SHAPE_MISMATCH', config({ intermediate_size: 64 })],
    ['weights that are no numbers', 'WEIGHTS_NOT_FINITE', filled(Number.NaN)],
    ['infinite weights', 'WEIGHTS_NOT_FINITE', filled(Number.NEGATIVE_INFINITY)],
  ])('%s', async (_, code, changes) => {
    await expect(convert(bertFiles(changes))).rejects.toMatchObject({ code });
  });

  test('weights beyond half precision', async () => {
    const name = 'encoder.layer.0.output.dense.weight';
    const bytes = new Uint8Array(
      new Float32Array(dimensions.embedding * dimensions.feedForward).fill(70_000).buffer,
    );
    const files = bertFiles(
      tensors((all) => {
        all[name] = { dtype: 'F32', shape: [32, 48], bytes };
      }),
    );
    await expect(convert(files)).rejects.toMatchObject({
      code: 'WEIGHTS_NOT_FINITE',
      message: expect.stringContaining('Convert to F32') as string,
    });
    expect((await convert(files, { type: 'F32' })).tensor('blk.0.ffn_down.weight')[0]).toBe(70_000);
  });
});

test('progress goes up to the whole, and abort ends it with its reason', async () => {
  const seen: Progress[] = [];
  await convert(bertFiles(), { onProgress: (progress) => seen.push(progress) });
  const done = seen.map(({ doneBytes }) => doneBytes ?? -1);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toMatchObject({ phase: 'convert', label: 'tiny', totalBytes: done.at(-1) });
  const controller = new AbortController();
  const reason = new Error('enough');
  await expect(
    convert(bertFiles(), {
      signal: controller.signal,
      onProgress: ({ doneBytes = 0 }) => {
        if (doneBytes > 0) controller.abort(reason);
      },
    }),
  ).rejects.toBe(reason);
});

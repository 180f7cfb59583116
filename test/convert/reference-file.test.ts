import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { convertModel } from '../../src/convert/convert-model.ts';
import { type GgufHeader, parseGgufHeader } from '../../src/gguf/parse-header.ts';
import { collectingSink } from '../source/memory-source.ts';
import { makeSafetensors, type TensorContent } from './make-safetensors.ts';
import { modelFiles } from './tiny-bert.ts';

/** Names of transformers for those of the file; the file has no key for them. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/^token_embd_norm/, 'embeddings.LayerNorm'],
  [/^token_embd/, 'embeddings.word_embeddings'],
  [/^token_types/, 'embeddings.token_type_embeddings'],
  [/^position_embd/, 'embeddings.position_embeddings'],
  [/^cls\.output/, 'classifier'],
  [/^cls/, 'pooler.dense'],
  [/^blk\.(\d+)\.attn_q\./, 'encoder.layer.$1.attention.self.query.'],
  [/^blk\.(\d+)\.attn_k\./, 'encoder.layer.$1.attention.self.key.'],
  [/^blk\.(\d+)\.attn_v\./, 'encoder.layer.$1.attention.self.value.'],
  [/^blk\.(\d+)\.attn_output\./, 'encoder.layer.$1.attention.output.dense.'],
  [/^blk\.(\d+)\.attn_output_norm\./, 'encoder.layer.$1.attention.output.LayerNorm.'],
  [/^blk\.(\d+)\.ffn_up\./, 'encoder.layer.$1.intermediate.dense.'],
  [/^blk\.(\d+)\.ffn_down\./, 'encoder.layer.$1.output.dense.'],
  [/^blk\.(\d+)\.layer_output_norm\./, 'encoder.layer.$1.output.LayerNorm.'],
];

test.each(['bert', 'bert-rerank'])(
  '%s, taken apart and converted, is the file of the reference',
  async (name) => {
    const path = new URL(`../conformance/tiny-models/${name}.gguf.gz`, import.meta.url);
    const original = gunzipSync(readFileSync(path));
    const expected = parseGgufHeader(original, { name, fileBytes: original.length });
    const sink = collectingSink();
    const files = modelFiles({
      'config.json': configOf(expected, name === 'bert'),
      '1_Pooling/config.json': { pooling_mode_cls_token: true },
      'vocab.txt': vocabularyOf(expected),
      'model.safetensors': makeSafetensors(tensorsOf(expected, original)),
    });
    await convertModel(files, sink, { modelName: 'conformance', type: 'F32' });
    const bytes = sink.bytes();
    const found = parseGgufHeader(bytes, { name, fileBytes: bytes.length });
    for (const [key, value] of expected.metadata.entries) {
      // The unknown token is a control token here, as llama.cpp's converter has it.
      if (key === 'tokenizer.ggml.token_type') continue;
      expect([key, found.metadata.entries.get(key)]).toEqual([key, value]);
    }
    const contents = (header: GgufHeader, file: Uint8Array): Map<string, unknown> =>
      new Map(
        header.tensors.map(({ name: tensor, type, shape, offset, byteLength }) => [
          tensor,
          { type, shape, bytes: Buffer.from(file.subarray(offset, offset + byteLength)) },
        ]),
      );
    expect(contents(found, bytes)).toEqual(contents(expected, original));
  },
);

function configOf({ metadata }: GgufHeader, isEmbedding: boolean): object {
  return {
    architectures: [isEmbedding ? 'BertModel' : 'BertForSequenceClassification'],
    id2label: { 0: 'LABEL_0' },
    hidden_size: metadata.number('bert.embedding_length'),
    intermediate_size: metadata.number('bert.feed_forward_length'),
    layer_norm_eps: metadata.number('bert.attention.layer_norm_epsilon'),
    max_position_embeddings: metadata.number('bert.context_length'),
    num_attention_heads: metadata.number('bert.attention.head_count'),
    num_hidden_layers: metadata.number('bert.block_count'),
    type_vocab_size: metadata.number('tokenizer.ggml.token_type_count'),
    vocab_size: metadata.strings('tokenizer.ggml.tokens').length,
  };
}

function vocabularyOf({ metadata }: GgufHeader): string {
  const types = metadata.numbers('tokenizer.ggml.token_type');
  const lines = metadata.strings('tokenizer.ggml.tokens').map((text, id) => {
    if (types[id] !== 1) return text;
    return text.startsWith('\u2581') ? text.slice(1) : `##${text}`;
  });
  return lines.join('\n');
}

function tensorsOf(header: GgufHeader, file: Uint8Array): Record<string, TensorContent> {
  return Object.fromEntries(
    header.tensors.map(({ name, shape, offset, byteLength }) => {
      const rule = renamed.find(([pattern]) => pattern.test(name));
      const from = rule === undefined ? name : name.replace(...rule);
      const bytes = file.subarray(offset, offset + byteLength);
      return [from, { dtype: 'F32', shape: shape.toReversed(), bytes }];
    }),
  );
}

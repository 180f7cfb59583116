import type { ModelFiles } from '../../src/convert/model-files.ts';
import { BytesSource } from '../support/bytes-source.ts';
import { makeSafetensors, type TensorContent } from './make-safetensors.ts';

/** Files of a model by path; `undefined` takes one away. */
export type Files = Readonly<Record<string, Uint8Array | string | object | undefined>>;

export const dimensions = {
  vocabulary: 12,
  embedding: 32,
  feedForward: 48,
  positions: 16,
  layers: 2,
} as const;

const { vocabulary, embedding, feedForward, positions, layers } = dimensions;

export const vocabularyLines: readonly string[] = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'the',
  'cat',
  '##s',
  '!',
  'sat',
  '##ting',
];

/** Values that differ everywhere, small enough for every type. */
export function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, index) => Math.sin(index * 0.37 + seed) * 0.5);
}

function floats(shape: readonly number[], seed: number): TensorContent {
  const count = shape.reduce((product, length) => product * length, 1);
  return { dtype: 'F32', shape, bytes: new Uint8Array(values(count, seed).buffer) };
}

/** Tensors of a tiny `BertModel` under the names of transformers. */
export function bertTensors(): Record<string, TensorContent> {
  const shapes: [string, readonly number[]][] = [
    ['embeddings.word_embeddings.weight', [vocabulary, embedding]],
    ['embeddings.position_embeddings.weight', [positions, embedding]],
    ['embeddings.token_type_embeddings.weight', [2, embedding]],
    ...normOf('embeddings.LayerNorm'),
  ];
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['attention.self.query', 'attention.self.key', 'attention.self.value']) {
      shapes.push(...denseOf(`${at}.${part}`, embedding, embedding));
    }
    shapes.push(
      ...denseOf(`${at}.attention.output.dense`, embedding, embedding),
      ...normOf(`${at}.attention.output.LayerNorm`),
      ...denseOf(`${at}.intermediate.dense`, feedForward, embedding),
      ...denseOf(`${at}.output.dense`, embedding, feedForward),
      ...normOf(`${at}.output.LayerNorm`),
    );
  }
  shapes.push(...denseOf('pooler.dense', embedding, embedding));
  return Object.fromEntries(shapes.map(([name, shape], seed) => [name, floats(shape, seed)]));
}

function denseOf(name: string, outputs: number, inputs: number): [string, readonly number[]][] {
  return [
    [`${name}.weight`, [outputs, inputs]],
    [`${name}.bias`, [outputs]],
  ];
}

function normOf(name: string): [string, readonly number[]][] {
  return [
    [`${name}.weight`, [embedding]],
    [`${name}.bias`, [embedding]],
  ];
}

export const bertConfig = {
  architectures: ['BertModel'],
  hidden_act: 'gelu',
  hidden_size: embedding,
  intermediate_size: feedForward,
  layer_norm_eps: 1e-12,
  max_position_embeddings: positions,
  num_attention_heads: 4,
  num_hidden_layers: layers,
  type_vocab_size: 2,
  vocab_size: vocabulary,
} as const;

/** The files of a tiny model, with changes. */
export function bertFiles(changes: Files = {}): Files {
  return {
    'config.json': bertConfig,
    'modules.json': [
      { type: 'sentence_transformers.models.Transformer', path: '' },
      { type: 'sentence_transformers.models.Pooling', path: '1_Pooling' },
    ],
    '1_Pooling/config.json': { pooling_mode_mean_tokens: true },
    'vocab.txt': `${vocabularyLines.join('\n')}\n`,
    'model.safetensors': makeSafetensors(bertTensors()),
    ...changes,
  };
}

export function fileBytes(content: Uint8Array | string | object): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
}

/** The files as a converter sees them. */
export function modelFiles(files: Files): ModelFiles {
  return {
    name: 'tiny',
    async open(path) {
      const content = files[path];
      return content === undefined ? undefined : new BytesSource(path, fileBytes(content));
    },
  };
}

import { toLittleEndian } from '../../src/quant/to-little-endian.ts';
import { byteLevelAlphabet } from '../../src/tokenizer/byte-level-alphabet.ts';
import { writeGguf } from './write-gguf.ts';
import type { PlainValue, WritableTensor, WriteGgufOptions } from './write-gguf.ts';

export interface TinyLlamaOptions {
  /** Replaces or, with `undefined`, removes keys. */
  readonly metadata?: Readonly<Record<string, PlainValue | undefined>>;
  /** Replaces or, with `undefined`, removes tensors. */
  readonly tensors?: Readonly<Record<string, Omit<WritableTensor, 'name'> | undefined>>;
  /** Control tokens behind the usual ones. */
  readonly moreTokens?: readonly string[];
  /** @default 7 */
  readonly seed?: number;
  /** Everything of {@link writeGguf} besides metadata and tensors. */
  readonly file?: Partial<Omit<WriteGgufOptions, 'metadata' | 'tensors'>>;
}

/** Two layers of width 32, four heads, byte-level tokens and ChatML: small enough to make by the hundred. */
export const tinyLlamaShape = {
  embedding: 32,
  heads: 4,
  kvHeads: 2,
  feedForward: 48,
  layers: 2,
  context: 256,
};

const specials = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];

/** A llama of seeded random weights as GGUF bytes. */
export function tinyLlama(options: TinyLlamaOptions = {}): Uint8Array {
  const { embedding, heads, kvHeads, feedForward, layers, context } = tinyLlamaShape;
  const controls = [...specials, ...(options.moreTokens ?? [])];
  const tokens = [...byteLevelAlphabet, ...controls];
  const kvWidth = (embedding / heads) * kvHeads;
  const random = mulberry32(options.seed ?? 7);
  const matrix = (columns: number, rows: number): Omit<WritableTensor, 'name'> => ({
    type: 'F32',
    shape: [columns, rows],
    bytes: bytesOf(Float32Array.from({ length: columns * rows }, () => (random() * 2 - 1) * 0.3)),
  });
  const ones = (length: number): Omit<WritableTensor, 'name'> => ({
    type: 'F32',
    shape: [length],
    bytes: bytesOf(new Float32Array(length).fill(1)),
  });
  const tensors: Record<string, Omit<WritableTensor, 'name'> | undefined> = {
    'token_embd.weight': matrix(embedding, tokens.length),
    'output_norm.weight': ones(embedding),
  };
  for (let layer = 0; layer < layers; layer++) {
    Object.assign(tensors, {
      [`blk.${layer}.attn_norm.weight`]: ones(embedding),
      [`blk.${layer}.attn_q.weight`]: matrix(embedding, embedding),
      [`blk.${layer}.attn_k.weight`]: matrix(embedding, kvWidth),
      [`blk.${layer}.attn_v.weight`]: matrix(embedding, kvWidth),
      [`blk.${layer}.attn_output.weight`]: matrix(embedding, embedding),
      [`blk.${layer}.ffn_norm.weight`]: ones(embedding),
      [`blk.${layer}.ffn_gate.weight`]: matrix(embedding, feedForward),
      [`blk.${layer}.ffn_up.weight`]: matrix(embedding, feedForward),
      [`blk.${layer}.ffn_down.weight`]: matrix(feedForward, embedding),
    });
  }
  // Swapping bytes is its own inverse.
  const ordered = ({ type, bytes }: Omit<WritableTensor, 'name'>): Uint8Array =>
    options.file?.littleEndian === false && typeof type === 'string' ? toLittleEndian(type, bytes) : bytes;
  const metadata: Record<string, PlainValue | undefined> = {
    'general.architecture': 'llama',
    'general.name': 'tiny llama',
    'llama.block_count': layers,
    'llama.context_length': context,
    'llama.embedding_length': embedding,
    'llama.feed_forward_length': feedForward,
    'llama.attention.head_count': heads,
    'llama.attention.head_count_kv': kvHeads,
    'llama.attention.layer_norm_rms_epsilon': 1e-5,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': tokens.map((token) => (controls.includes(token) ? 3 : 1)),
    'tokenizer.ggml.merges': [],
    'tokenizer.ggml.bos_token_id': 256,
    'tokenizer.ggml.eos_token_id': 258,
    'tokenizer.chat_template': chatMl,
    ...options.metadata,
  };
  Object.assign(tensors, options.tensors);
  return writeGguf({
    ...options.file,
    metadata: Object.entries(metadata).filter(
      (entry): entry is [string, PlainValue] => entry[1] !== undefined,
    ),
    tensors: Object.entries(tensors).flatMap(([name, tensor]) =>
      tensor === undefined ? [] : [{ name, ...tensor, bytes: ordered(tensor) }],
    ),
  });
}

const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** The bytes of numbers, little-endian. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A small seeded generator (Tommy Ettinger's mulberry32), uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

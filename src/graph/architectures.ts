import type { Activation } from './activation.ts';

/**
 * What metadata and tensors do not tell about an architecture. Biases, extra norms, fused projections, tied
 * output, head sizes and the like are seen in the file and have no flag.
 */
export interface ArchitectureRow {
  /** Which elements of a head rotate together: neighbours (2i, 2i+1) or halves (i, i+n/2). */
  readonly ropePairs: 'neighbours' | 'halves';
  /** @default 'rms' */
  readonly norm?: 'rms' | 'layer';
  /** @default 'silu' */
  readonly activation?: Activation;
  /** Multiplies embeddings by the square root of their length. */
  readonly scalesEmbedding?: true;
  /** Of every n layers the last one sees everything, the others a sliding window. */
  readonly windowPeriod?: number;
  /** The sliding-window key is in files, but without effect. */
  readonly ignoresWindow?: true;
  /** Windowed layers rotate with this base instead of the file's. */
  readonly windowRopeBase?: number;
  /** Windowed layers rotate without the file's scaling. */
  readonly windowRopeUnscaled?: true;
  /** Every nth layer has no rotation. */
  readonly unrotatedPeriod?: number;
  /** With this many layers, queries are scaled by (embedding / heads) ** -0.5 instead of headDim ** -0.5. */
  readonly embeddingScaledQueriesAt?: number;
  /** Logits are divided by `logit_scale`. */
  readonly dividesLogits?: true;
  /** `rope.scaling.finetuned = false` switches rotation off. */
  readonly finetunedSwitchesRope?: true;
  /** Queries grow with the logarithm of the position (`attention.temperature_scale`). */
  readonly temperature?: true;
  /** Takes YaRN's ramp from the file instead of 32 and 1. */
  readonly readsYarnRamp?: true;
}

/** All known architectures, by `general.architecture`. Facts as in llama.cpp's model loader and graphs. */
export const architectures: ReadonlyMap<string, ArchitectureRow> = new Map<string, ArchitectureRow>([
  ['llama', { ropePairs: 'neighbours', ignoresWindow: true }],
  ['mistral', { ropePairs: 'neighbours' }],
  ['mistral3', { ropePairs: 'neighbours', temperature: true, readsYarnRamp: true }],
  ['qwen2', { ropePairs: 'halves' }],
  ['qwen3', { ropePairs: 'halves' }],
  ['gemma', { ropePairs: 'halves', activation: 'gelu', scalesEmbedding: true }],
  [
    'gemma2',
    {
      ropePairs: 'halves',
      activation: 'gelu',
      scalesEmbedding: true,
      windowPeriod: 2,
      embeddingScaledQueriesAt: 46,
    },
  ],
  [
    'gemma3',
    {
      ropePairs: 'halves',
      activation: 'gelu',
      scalesEmbedding: true,
      windowPeriod: 6,
      windowRopeBase: 10000,
      windowRopeUnscaled: true,
      embeddingScaledQueriesAt: 62,
    },
  ],
  ['phi3', { ropePairs: 'halves', ignoresWindow: true }],
  ['smollm3', { ropePairs: 'neighbours', unrotatedPeriod: 4 }],
  ['olmo2', { ropePairs: 'halves', windowPeriod: 4, windowRopeUnscaled: true }],
  ['granite', { ropePairs: 'neighbours', dividesLogits: true, finetunedSwitchesRope: true }],
  ['stablelm', { ropePairs: 'halves', norm: 'layer' }],
]);

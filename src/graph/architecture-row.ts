import type { Activation, GateLimits } from './activation.ts';

/**
 * What metadata and tensors do not tell about an architecture. Biases, extra norms, fused projections, tied
 * output, head sizes, experts, gates and the like are seen in the file and have no flag.
 */
export interface ArchitectureRow {
  /**
   * Which elements of a head rotate together: neighbours (2i, 2i+1) or halves (i, i+n/2). Absent = positions
   * come in otherwise (ALiBi, position embeddings).
   */
  readonly ropePairs?: 'neighbours' | 'halves';
  /** For vectors of whole texts alone: every position sees all others, and nothing can be generated. */
  readonly encodes?: true;
  /** The part of the file that encodes, by the beginning of its tensors' names. */
  readonly stack?: 'enc';
  /** Norms come after what a block adds to the stream instead of before the block. */
  readonly normsAfterResidual?: true;
  /** Of classification heads: what they look at, and the function between their two matrices. @default the first or, of
   * models that look back only, the last row, and `tanh` */
  readonly rankHead?: { readonly rows: 'mean'; readonly activation: Activation };
  /** `told`: RMS if the file gives an epsilon for it. @default 'rms' */
  readonly norm?: 'layer' | 'told';
  /** The norms of the residual stream have no weights. */
  readonly unweightedNorms?: true;
  /** @default 'silu' */
  readonly activation?: Activation;
  /** Of feed-forward blocks without a gate, where it is another. */
  readonly ungatedActivation?: Activation;
  /** Bounds of gated feed-forward blocks. */
  readonly gateLimits?: GateLimits;
  /** Multiplies embeddings by the square root of their length. */
  readonly scalesEmbedding?: true;
  /** Factors where the file gives none. */
  readonly scaleDefaults?: ScaleDefaults;
  /** The first layers keep only what stands out of their feed-forward's gate, by so many standard deviations. */
  readonly gatePeaks?: { readonly layers: number; readonly deviations: number };
  /** Layers after this many share caches, where the file does not say how many do. */
  readonly cachingLayers?: number;
  /** Logits are divided by `logit_scale`. */
  readonly dividesLogits?: true;
  /** Files without a norm before the feed-forward run it beside the attention; here `use_parallel_residual` does too. */
  readonly readsParallelResidual?: true;

  /** Sliding windows; without this row a window in the file has no effect. */
  readonly windows?: WindowRow;
  /** Only windowed layers rotate (all, if there are none), or the leading dense ones too. */
  readonly rotates?: 'windowed' | 'windowed-and-leading';
  /** With this many layers all rotate: the reference takes a period as long as the model for none. */
  readonly rotatesAllAt?: number;
  /** Every nth layer has no rotation. */
  readonly unrotatedPeriod?: number;
  /** Only half of `rope.dimension_count` rotates in layers without a window. */
  readonly halvesOpenRotation?: true;
  /** `rope.scaling.finetuned = false` switches rotation off. */
  readonly finetunedSwitchesRope?: true;
  /** Takes YaRN's ramp from the file, or this; absent = 32 and 1 whatever the file says. */
  readonly yarnRamp?: { readonly fast: number; readonly slow: number };
  /** `yarn_log_multiplier` is a tenth of the multiplier and scales scores instead of rotations. */
  readonly yarnScalesScores?: true;

  /** ALiBi whatever the file says, perhaps only with this many layers. */
  readonly alibi?: { readonly maximumBias: number; readonly layers?: number };
  /** Scale of the scores. @default 'head', headDim ** -0.5 */
  readonly scoreScale?: ScoreScale;
  /** Query and key norms come after the rotation. */
  readonly normsAfterRotation?: true;
  /** Rotated layers have query and key norms without weights, except models with this many experts. */
  readonly unweightedHeadNorms?: { readonly exceptExperts: number };
  /** Values are normed per head, without weights. */
  readonly normsValues?: true;
  /** Queries grow with their position: as `attention.temperature_scale` tells, or so in unrotated layers. */
  readonly temperature?:
    | 'told'
    | { readonly scale: number; readonly floorLength: number; readonly offset: number };
  /** Function of the gate on the attention's output (`attn_gate`). @default 'sigmoid' */
  readonly attentionGate?: Activation;

  /** How experts are scored where the file does not say. @default 'softmax' */
  readonly expertGate?: 'sigmoid' | 'softmax-chosen';
  /** Whether the chosen experts' weights are made to sum to 1; absent = `expert_weights_norm` says. */
  readonly expertWeights?: 'normalized' | 'plain';
  /** Weights multiply the experts' input. */
  readonly weighsExpertInput?: true;
  /** The router reads the layer's input instead of the feed-forward's. */
  readonly routesLayerInput?: true;
  /** Experts and shared expert are averaged instead of added. */
  readonly averagesSharedExpert?: true;
}

/** With `period` n, one of every n layers sees everything; 0 = none does. The file's own pattern comes first. */
export interface WindowRow {
  readonly period: number;
  /** The first of the n sees everything instead of the last. */
  readonly openFirst?: true;
  /** Length where the file has no key. */
  readonly defaultLength?: number;
  /** Length whatever the file says, if it does not say 0. */
  readonly fixedLength?: number;
  /** Chunks that are apart instead of a window that slides. */
  readonly chunked?: true;
  /** Only models with this many layers have windows. */
  readonly layers?: number;
  /** Windowed layers rotate with this base where the file gives none for them. */
  readonly ropeBase?: number;
  /** Windowed layers rotate without the file's scaling. */
  readonly ropeUnscaled?: true;
}

export type ScoreScale =
  /** 1 */
  | 'one'
  /** 1 / headDim */
  | 'inverse-head'
  /** rotated elements ** -0.5 */
  | 'rotated'
  /** (embedding / heads) ** -0.5 with this many layers, else as usual. */
  | { readonly embeddingPerHeadAt: number };

export interface ScaleDefaults {
  readonly embedding?: number;
  /** Divided by the square root of the number of layers. */
  readonly depth?: number;
  readonly logits?: number;
  /** Logits are multiplied by this divided by the embedding length. */
  readonly logitsOverEmbedding?: number;
  readonly scores?: number;
  readonly scoreSoftcap?: number;
  readonly logitSoftcap?: number;
}

import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { LatentConfig, LayerConfig, Temperature } from './layer-config.ts';
import type { MixtureConfig } from './mixture-config.ts';
import type { PositionBias } from './position-bias.ts';

/** A matrix of the file, (rows, columns), with its optional bias (rows,). */
export interface LinearWeight {
  readonly weight: TensorInfo;
  readonly bias?: Float32Array;
  /** Name for the bias inside the graph. */
  readonly biasName?: string;
}

/** A bias is added after the weight, also by RMS norms. */
export interface NormWeight {
  readonly name: string;
  /** (length,); for norms of heads (headDim,), or (heads, headDim) where each head has weights of its own. */
  readonly weight: Float32Array;
  readonly bias?: Float32Array;
}

/** A named vector of the file: sinks, selection biases. */
export interface Vector {
  readonly name: string;
  readonly values: Float32Array;
}

/** A matrix per expert: the weight is (experts, rows, columns), the bias (experts, rows). */
export interface ExpertWeight extends LinearWeight {
  /** (experts,) multiply the products before the biases are added. */
  readonly scales?: Vector;
}

/** One attention: what comes out of the projections, and how it is looked at. */
export interface AttentionInput {
  readonly layer: number;
  readonly config: LayerConfig;
  /** (nTokens, heads * headDim), (nTokens, kvHeads * headDim), (nTokens, kvHeads * valueDim) */
  readonly query: Value;
  /** Left out, as the value is, when `cacheOf` is given. */
  readonly key: Value;
  readonly value: Value;
  /** Attends to what this earlier layer cached instead of caching keys and values of its own. */
  readonly cacheOf?: number;
  readonly queryNorm?: NormWeight;
  readonly keyNorm?: NormWeight;
  readonly valueNorm?: NormWeight;
  /** Query and key norms come after the rotation instead of before it. */
  readonly normsAfterRotation?: true;
  readonly scale: number;
  /** tanh(score / softcap) * softcap; absent = scores as they are. */
  readonly softcap?: number;
  /** (heads,) scores that join each softmax without a value. */
  readonly sinks?: Vector;
  /** (heads,) a score is lowered by its head's slope times the distance in positions. */
  readonly alibiSlopes?: Float32Array;
  readonly temperature?: Temperature;
  /** Positions see later ones too; windows reach half of their length to either side. */
  readonly bidirectional?: true;
  readonly positionBias?: PositionBias;
}

/** Attention whose keys and values are kept as one latent vector per token (MLA). */
export interface LatentAttentionInput {
  readonly layer: number;
  /** `headDim` counts a whole key: the unrotated part, then the rotated elements. */
  readonly config: LayerConfig;
  readonly latentConfig: LatentConfig;
  /** (nTokens, heads * headDim), not rotated yet */
  readonly query: Value;
  /** (nTokens, latentConfig.length), normed */
  readonly latent: Value;
  /** (nTokens, latentConfig.rotatedLength), one for all heads, not rotated yet */
  readonly rotatedKey: Value;
  readonly expansion: LatentExpansion;
  readonly scale: number;
  readonly temperature?: Temperature;
}

/** How a latent of length l becomes keys and values; u = headDim - rotatedLength. */
export type LatentExpansion =
  /** key: (heads, l, u), takes queries into the latent space; value: (heads, valueDim, l). */
  | { readonly kind: 'absorbed'; readonly key: TensorInfo; readonly value: TensorInfo }
  /** (heads * (u + valueDim), l), per head the key's rows, then the value's. */
  | { readonly kind: 'joint'; readonly weight: TensorInfo };

/** A feed-forward block of which each token takes a few experts. */
export interface MixtureInput {
  readonly layer: number;
  readonly config: MixtureConfig;
  /** (nTokens, embeddingLength) */
  readonly input: Value;
  /** (nTokens, experts): what the router says, before any function. */
  readonly logits: Value;
  /** (experts,) added to the scores for choosing, not for weighing. */
  readonly selectionBias?: Vector;
  /** Gate and up, or one weight that holds gate, then up; or up alone, whose product is just activated. */
  readonly hidden: readonly ExpertWeight[];
  /** Whether the one hidden weight has twice the rows: gate, then up. */
  readonly holdsGate: boolean;
  readonly down: ExpertWeight;
}

/**
 * How the blocks of a model become nodes. The decoder is written once against this; a dialect decides what
 * is fused and where weights come from. Activations are (nTokens, width) f32.
 */
export interface Dialect {
  /** Rows of the embedding table for the step's token ids, times `scale`. */
  embed(table: TensorInfo, scale: number): Value;
  norm(input: Value, weight: NormWeight): Value;
  /** Several weights on one input. */
  linear(input: Value, weights: readonly LinearWeight[]): Value[];
  /** Rows of a table of position embeddings for the step's positions. */
  embedPositions(table: TensorInfo): Value;
  /** activation(gate) * up; one weight of twice the rows holds gate, then up. */
  gated(input: Value, weights: readonly LinearWeight[], activation: Activation, limits?: GateLimits): Value;
  activate(input: Value, activation: Activation): Value;
  /** Parts of a fused projection, by widths. */
  split(input: Value, widths: readonly number[]): Value[];
  /** The reverse of {@link split}. */
  join(parts: readonly Value[]): Value;
  /** (nTokens, heads * valueDim) */
  attend(attention: AttentionInput): Value;
  /** (nTokens, heads * valueDim) */
  latentAttend(attention: LatentAttentionInput): Value;
  /** The weighted sum of the chosen experts: (nTokens, embeddingLength). */
  mixture(mixture: MixtureInput): Value;
  add(left: Value, right: Value): Value;
  /** Elementwise; with `groups`, right is (nTokens, groups) and each element multiplies as many of left in turn. */
  multiply(left: Value, right: Value, groups?: number): Value;
  /** (length,) to be multiplied with every row. */
  constant(vector: Vector): Value;
  /** Each row of the input made as long as that of `like`, in the Euclidean sense. */
  matchLength(input: Value, like: Value): Value;
  /** max(0, x - threshold), the threshold as many standard deviations above the mean of each row. */
  keepPeaks(input: Value, deviations: number): Value;
  /** Every element within ± limit. */
  clamp(input: Value, limit: number): Value;
  scale(input: Value, factor: number): Value;
  /**
   * From the rows of all tokens, normed, to the vectors of the step's texts: (nVectors, width). What follows has a
   * row per vector.
   */
  pool(input: Value, norm: NormWeight | undefined): Value;
  /** Makes an output of the graph: (nVectors, width). */
  output(name: 'vectors' | 'scores', value: Value, width: number): void;
  /** Logits of the step's wanted rows: (nRows, vocabularySize). */
  head(
    input: Value,
    norm: NormWeight,
    weight: LinearWeight,
    options: { readonly scale: number; readonly softcap?: number },
  ): void;
}

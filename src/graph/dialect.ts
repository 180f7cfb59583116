import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Activation, LayerConfig } from './config.ts';

/** A matrix of the file, (rows, columns), with its optional bias (rows,). */
export interface LinearWeight {
  readonly weight: TensorInfo;
  readonly bias?: Float32Array;
  /** Name for the bias inside the graph. */
  readonly biasName?: string;
}

export interface NormWeight {
  readonly name: string;
  /** (length,), or (heads, headDim) for a per-head norm with weights of its own per head. */
  readonly weight: Float32Array;
  readonly bias?: Float32Array;
}

/** One attention: what comes out of the projections, and how it is looked at. */
export interface AttentionInput {
  readonly layer: number;
  readonly config: LayerConfig;
  /** (nTokens, heads * headDim), (nTokens, kvHeads * headDim) twice */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly queryNorm?: NormWeight;
  readonly keyNorm?: NormWeight;
  readonly scale: number;
  readonly softcap?: number;
  readonly temperature?: { readonly scale: number; readonly floorLength: number };
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
  /** activation(gate) * up; one weight of twice the rows holds gate, then up. */
  gated(input: Value, weights: readonly LinearWeight[], activation: Activation): Value;
  activate(input: Value, activation: Activation): Value;
  /** Parts of a fused projection, by widths. */
  split(input: Value, widths: readonly number[]): Value[];
  attend(attention: AttentionInput): Value;
  add(left: Value, right: Value): Value;
  scale(input: Value, factor: number): Value;
  /** Logits of the step's wanted rows: (nRows, vocabularySize). */
  head(
    input: Value,
    norm: NormWeight,
    weight: LinearWeight,
    options: { readonly scale: number; readonly softcap?: number },
  ): void;
}

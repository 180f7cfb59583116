import type { TensorInfo } from '../gguf/tensor-table.ts';
import { nativeDomain } from '../onnx/graph-builder.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { ModelConfig } from './config.ts';
import type {
  AttentionInput,
  Dialect,
  LatentAttentionInput,
  LinearWeight,
  MixtureInput,
  NormWeight,
  Vector,
} from './dialect.ts';
import { attentionNode, constantInputs, latentNode } from './native-attention.ts';
import {
  activationAttributes,
  limitAttributes,
  linearAttributes,
  matrixAttributes,
  mixtureAttributes,
} from './native-attributes.ts';
import type { Attributes } from './native-attributes.ts';
import { nativeNames } from './native-io.ts';
import type { RopeConfig } from './rope.ts';

/** A product that is not in the graph yet: a following scale, activation or addition goes into it. */
interface PendingLinear {
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly width: number;
  readonly scale: number;
}

/**
 * Nodes of our own operators: matrices are named by file, type and offset and stay where they are; small vectors
 * lie in the graph. Products, their activations and residuals are one node.
 */
export class NativeDialect implements Dialect {
  readonly #graph: GraphBuilder;
  readonly #config: ModelConfig;
  /** Products by their names here; a second reader of one that went into another node gets a node of its own. */
  readonly #pending = new Map<Value, PendingLinear>();
  /** Names in the graph of products that were written as they are. */
  readonly #written = new Map<Value, Value>();
  readonly #widths = new Map<Value, number>();
  readonly #ropes: RopeConfig[] = [];
  #counter = 0;
  /** What values have a row for. */
  #rows: 'tokens' | 'wanted' | 'pooled' = 'tokens';
  readonly #cacheIndices: readonly number[];

  /** @param cacheIndices which layer of the cache each layer of the model uses */
  constructor(graph: GraphBuilder, config: ModelConfig, cacheIndices: readonly number[]) {
    this.#graph = graph;
    this.#config = config;
    this.#cacheIndices = cacheIndices;
    graph.input(nativeNames.tokens, 'int32', ['nTokens']);
  }

  embed(table: TensorInfo, scale: number): Value {
    return this.#node('Embed', [nativeNames.tokens], table.shape[0] ?? 0, {
      ...matrixAttributes([table]),
      scale: { float: scale },
    });
  }

  embedPositions(table: TensorInfo): Value {
    return this.#node('Embed', [nativeNames.tokens], table.shape[0] ?? 0, {
      ...matrixAttributes([table]),
      scale: { float: 1 },
      positions: 1,
    });
  }

  norm(input: Value, { name, weight, bias }: NormWeight): Value {
    const inputs = [this.#use(input), this.#vector(name, weight)];
    if (bias !== undefined) inputs.push(this.#vector(`${name}.bias`, bias));
    return this.#node('Norm', inputs, this.#widthOf(input) || weight.length, {
      kind: this.#config.norm,
      epsilon: { float: this.#config.normEpsilon },
      bias: Number(bias !== undefined),
    });
  }

  linear(input: Value, weights: readonly LinearWeight[]): Value[] {
    const inputs = [this.#use(input), ...this.#biases(weights)];
    const attributes = linearAttributes(weights, 'separate');
    const widths = weights.map(({ weight }) => weight.shape[1] ?? 1);
    const [width] = widths;
    if (width !== undefined && widths.length === 1) {
      return [this.#defer({ inputs, attributes, width, scale: 1 })];
    }
    return this.#nodes('Linear', inputs, widths, { ...attributes, scale: { float: 1 } });
  }

  gated(input: Value, weights: readonly LinearWeight[], activation: Activation, limits?: GateLimits): Value {
    const rows = weights[0]?.weight.shape[1] ?? 0;
    return this.#node(
      'Linear',
      [this.#use(input), ...this.#biases(weights)],
      weights.length === 1 ? rows / 2 : rows,
      {
        ...linearAttributes(weights, 'gated'),
        ...activationAttributes(activation),
        ...(limits === undefined ? {} : limitAttributes(limits)),
        scale: { float: 1 },
      },
    );
  }

  activate(input: Value, activation: Activation): Value {
    const pending = this.#unwritten(input, 1);
    const attributes = activationAttributes(activation);
    if (pending === undefined) return this.#pointwise(input, 'activate', attributes);
    return this.#node('Linear', pending.inputs, pending.width, {
      ...pending.attributes,
      ...attributes,
      combine: 'activated',
      scale: { float: 1 },
    });
  }

  split(input: Value, widths: readonly number[]): Value[] {
    const parts = this.#graph.nodes('Split', [this.#use(input), this.#graph.integers(...widths)], {
      attributes: { axis: -1 },
      outputs: widths.length,
    });
    for (const [index, part] of parts.entries()) this.#widths.set(part, widths[index] ?? 0);
    return parts;
  }

  join(parts: readonly Value[]): Value {
    if (parts.length === 1) return parts[0] ?? '';
    const width = parts.reduce((sum, part) => sum + this.#widthOf(part), 0);
    const joined = this.#graph.node(
      'Concat',
      parts.map((part) => this.#use(part)),
      { attributes: { axis: 1 } },
    );
    this.#widths.set(joined, width);
    return joined;
  }

  attend(attention: AttentionInput): Value {
    const { config, query, key, value, cacheOf } = attention;
    const layer = this.#cacheIndices[attention.layer] ?? attention.layer;
    const { attributes, constants } = attentionNode({ ...attention, layer }, this.#config, this.#ropeName);
    const rows = cacheOf === undefined ? [query, key, value] : [query];
    const inputs = [
      ...rows.map((each) => this.#use(each)),
      ...constantInputs(constants, (name, values) => this.#vector(name, values)),
    ];
    return this.#node('Attention', inputs, config.heads * config.valueDim, attributes);
  }

  latentAttend(attention: LatentAttentionInput): Value {
    const { config, query, latent, rotatedKey } = attention;
    const layer = this.#cacheIndices[attention.layer] ?? attention.layer;
    const { attributes, constants } = latentNode({ ...attention, layer }, this.#ropeName);
    const inputs = [
      ...[query, latent, rotatedKey].map((each) => this.#use(each)),
      ...constantInputs(constants, (name, values) => this.#vector(name, values)),
    ];
    return this.#node('LatentAttention', inputs, config.heads * config.valueDim, attributes);
  }

  mixture(mixture: MixtureInput): Value {
    const { hidden, down, selectionBias } = mixture;
    const weights = [...hidden, down];
    const inputs = [
      this.#use(mixture.input),
      this.#use(mixture.logits),
      ...(selectionBias === undefined ? [] : [this.#vector(selectionBias.name, selectionBias.values)]),
      ...this.#biases(weights),
      ...weights.flatMap(({ scales }) =>
        scales === undefined ? [] : [this.#vector(scales.name, scales.values)],
      ),
    ];
    return this.#node('Mixture', inputs, down.weight.shape[1] ?? 0, mixtureAttributes(mixture));
  }

  add(left: Value, right: Value): Value {
    const pending = this.#unwritten(left);
    if (pending !== undefined) return this.#emit(pending, this.#use(right));
    return this.#standard('Add', left, right);
  }

  multiply(left: Value, right: Value, groups?: number): Value {
    if (groups === undefined || groups === 1) return this.#standard('Mul', left, right);
    const width = this.#widthOf(left);
    return this.#node('Multiply', [this.#use(left), this.#use(right)], width, { width, groups });
  }

  constant({ name, values }: Vector): Value {
    return this.#vector(name, values);
  }

  matchLength(input: Value, like: Value): Value {
    const width = this.#widthOf(like);
    return this.#node('MatchLength', [this.#use(input), this.#use(like)], width, { width });
  }

  keepPeaks(input: Value, deviations: number): Value {
    const width = this.#widthOf(input);
    return this.#node('KeepPeaks', [this.#use(input)], width, { width, deviations: { float: deviations } });
  }

  clamp(input: Value, limit: number): Value {
    return this.#pointwise(input, 'clamp', { value: { float: limit } });
  }

  scale(input: Value, factor: number): Value {
    if (factor === 1) return input;
    const pending = this.#unwritten(input, 1);
    if (pending !== undefined) return this.#defer({ ...pending, scale: factor });
    return this.#pointwise(input, 'scale', { value: { float: factor } });
  }

  pool(input: Value, norm: NormWeight | undefined): Value {
    const width = this.#config.embeddingLength;
    const rows = this.#node('Rows', [this.#use(input)], width, { width });
    this.#rows = 'wanted';
    const normed = norm === undefined ? rows : this.norm(rows, norm);
    const pooled = this.#node('Pool', [normed], width, { width });
    this.#rows = 'pooled';
    return pooled;
  }

  output(name: 'vectors' | 'scores', value: Value, width: number): void {
    this.#graph.output(this.#graph.rename(this.#use(value), name), 'float', ['nVectors', width]);
  }

  head(
    input: Value,
    norm: NormWeight,
    weight: LinearWeight,
    options: { readonly scale: number; readonly softcap?: number },
  ): void {
    const width = norm.weight.length;
    const rows = this.#node('Rows', [this.#use(input)], width, { width });
    this.#rows = 'wanted';
    let logits = this.#node(
      'Head',
      [this.norm(rows, norm), ...this.#biases([weight])],
      this.#config.vocabularySize,
      {
        ...matrixAttributes([weight.weight]),
        bias: Number(weight.bias !== undefined),
        scale: { float: options.scale },
      },
    );
    if (options.softcap !== undefined) {
      logits = this.#pointwise(logits, 'softcap', { value: { float: options.softcap } });
    }
    this.#graph.output(logits, 'float', ['nRows', this.#config.vocabularySize]);
  }

  #standard(operator: string, left: Value, right: Value): Value {
    const width = this.#widthOf(left);
    const value = this.#graph.node(operator, [this.#use(left), this.#use(right)]);
    this.#widths.set(value, width);
    return value;
  }

  #pointwise(input: Value, name: string, attributes: Attributes): Value {
    const width = this.#widthOf(input);
    return this.#node('Pointwise', [this.#use(input)], width, { function: name, width, ...attributes });
  }

  #biases(weights: readonly LinearWeight[]): Value[] {
    return weights.flatMap(({ bias, biasName, weight }) =>
      bias === undefined ? [] : [this.#vector(biasName ?? `${weight.name}.bias`, bias)],
    );
  }

  #vector(name: string, values: Float32Array): Value {
    return this.#graph.constant(name, 'float', [values.length], values);
  }

  readonly #ropeName = (rope: RopeConfig): string => {
    const known = this.#ropes.indexOf(rope);
    return `frequencies_${known >= 0 ? known : this.#ropes.push(rope) - 1}`;
  };

  #defer(pending: PendingLinear): Value {
    const value = `pending_${this.#counter++}`;
    this.#pending.set(value, pending);
    this.#widths.set(value, pending.width);
    return value;
  }

  /** A product that is not written yet; with `scale`, only if its scale is that. */
  #unwritten(value: Value, scale?: number): PendingLinear | undefined {
    const pending = this.#pending.get(value);
    if (this.#written.has(value) || (scale !== undefined && pending?.scale !== scale)) return undefined;
    return pending;
  }

  #emit(pending: PendingLinear, residual?: Value): Value {
    const inputs = residual === undefined ? pending.inputs : [...pending.inputs, residual];
    return this.#node('Linear', inputs, pending.width, {
      ...pending.attributes,
      scale: { float: pending.scale },
      residual: Number(residual !== undefined),
    });
  }

  /** A value for a node's input: what was pending is written now. */
  #use(value: Value): Value {
    const pending = this.#pending.get(value);
    if (pending === undefined) return value;
    const written = this.#written.get(value) ?? this.#emit(pending);
    this.#written.set(value, written);
    return written;
  }

  #widthOf(value: Value): number {
    return this.#widths.get(value) ?? 0;
  }

  #node(operator: string, inputs: readonly Value[], width: number, attributes: Attributes): Value {
    return this.#nodes(operator, inputs, [width], attributes)[0] ?? '';
  }

  #nodes(
    operator: string,
    inputs: readonly Value[],
    widths: readonly number[],
    attributes: Attributes,
  ): Value[] {
    const outputs = this.#graph.nodes(operator, inputs, {
      domain: nativeDomain,
      attributes: { ...attributes, ...(this.#rows === 'tokens' ? {} : { [this.#rows]: 1 }) },
      outputs: widths.length,
    });
    for (const [index, output] of outputs.entries()) this.#widths.set(output, widths[index] ?? 0);
    return outputs;
  }
}

import type { TensorInfo } from '../gguf/tensor-table.ts';
import { elementTypes } from '../onnx/graph-builder.ts';
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
import { activate, gate, halves } from './portable-activation.ts';
import { PortableAttention } from './portable-attention.ts';
import { PortableCacheView } from './portable-cache-view.ts';
import { cacheLayers, portableNames, portableTextNames } from './portable-io.ts';
import { PortableLatentAttention } from './portable-latent-attention.ts';
import { PortableMatrices } from './portable-matrices.ts';
import { PortableMixture } from './portable-mixture.ts';
import { PortableStacks } from './portable-stacks.ts';
import { PortableTextView } from './portable-text-view.ts';
import type { WeightPack } from './weight-pack.ts';

/** Standard ONNX plus `com.microsoft`: runs on stock ONNX Runtime, weights come out of a {@link WeightPack}. */
export class PortableDialect implements Dialect {
  readonly #graph: GraphBuilder;
  readonly #matrices: PortableMatrices;
  readonly #config: ModelConfig;
  readonly #attention: PortableAttention;
  readonly #latentAttention: PortableLatentAttention;
  readonly #mixture: PortableMixture;

  /** @param takes one part of a sequence with its cache, or whole texts of which nothing is kept */
  constructor(graph: GraphBuilder, pack: WeightPack, config: ModelConfig, takes: 'sequence' | 'texts') {
    this.#graph = graph;
    this.#matrices = new PortableMatrices(graph, pack);
    this.#config = config;
    const view = takes === 'sequence' ? new PortableCacheView(graph) : new PortableTextView(graph);
    this.#attention = new PortableAttention(graph, view, (input, weight) => this.norm(input, weight));
    const stacks = new PortableStacks(graph, pack);
    this.#latentAttention = new PortableLatentAttention(graph, this.#matrices, stacks, this.#attention);
    this.#mixture = new PortableMixture(graph, stacks);
    graph.input(portableNames.tokens, 'int64', ['nTokens']);
    graph.input(portableNames.positions, 'float', ['nTokens', 1]);
    if (takes === 'texts') {
      graph.input(portableTextNames.pooling, 'float', ['nVectors', 'nTokens']);
      return;
    }
    graph.input(portableNames.rows, 'int64', ['nRows']);
    graph.input(portableNames.lastPosition, 'int32', [1]);
    graph.input(portableNames.totalLength, 'int32', []);
    for (const { layer, kvHeads, headDim } of cacheLayers(config)) {
      for (const name of [portableNames.pastKey(layer), portableNames.pastValue(layer)]) {
        graph.input(name, 'float', [1, kvHeads, 'capacity', headDim]);
      }
    }
  }

  embed(table: TensorInfo, scale: number): Value {
    const rows = this.#matrices.rowsOf(table);
    return scale === 1 ? rows : this.scale(rows, scale);
  }

  embedPositions(table: TensorInfo): Value {
    const graph = this.#graph;
    const positions = graph.node('Cast', [portableNames.positions], {
      attributes: { to: elementTypes.int64 },
    });
    return this.#matrices.rowsOf(table, graph.node('Squeeze', [positions, graph.integers(1)]));
  }

  norm(input: Value, { name, weight, bias }: NormWeight): Value {
    const graph = this.#graph;
    const inputs = [input, graph.constant(name, 'float', [weight.length], weight)];
    const attributes = { axis: -1, epsilon: { float: this.#config.normEpsilon } };
    const offset =
      bias === undefined ? undefined : graph.constant(`${name}.bias`, 'float', [bias.length], bias);
    if (this.#config.norm === 'layer') {
      return graph.node('LayerNormalization', offset === undefined ? inputs : [...inputs, offset], {
        attributes,
      });
    }
    const normed = graph.node('SimplifiedLayerNormalization', inputs, { attributes });
    return offset === undefined ? normed : this.add(normed, offset);
  }

  linear(input: Value, weights: readonly LinearWeight[]): Value[] {
    return weights.map((weight) => this.#matrices.multiply(input, weight));
  }

  gated(input: Value, weights: readonly LinearWeight[], activation: Activation, limits?: GateLimits): Value {
    const projected = this.linear(input, weights);
    const [gateInput = '', up = ''] =
      projected.length === 2 ? projected : halves(this.#graph, projected[0] ?? '');
    return gate(this.#graph, gateInput, up, activation, limits);
  }

  activate(input: Value, activation: Activation): Value {
    return activate(this.#graph, input, activation);
  }

  split(input: Value, widths: readonly number[]): Value[] {
    return this.#graph.nodes('Split', [input, this.#graph.integers(...widths)], {
      attributes: { axis: -1 },
      outputs: widths.length,
    });
  }

  join(parts: readonly Value[]): Value {
    if (parts.length === 1) return parts[0] ?? '';
    return this.#graph.node('Concat', parts, { attributes: { axis: -1 } });
  }

  attend(attention: AttentionInput): Value {
    return this.#attention.attend(attention);
  }

  latentAttend(attention: LatentAttentionInput): Value {
    return this.#latentAttention.attend(attention);
  }

  mixture(mixture: MixtureInput): Value {
    return this.#mixture.mix(mixture);
  }

  multiply(left: Value, right: Value, groups?: number): Value {
    const graph = this.#graph;
    if (groups === undefined || groups === 1) return graph.node('Mul', [left, right]);
    const shaped = graph.node('Reshape', [left, graph.integers(0, groups, -1)]);
    const factors = graph.node('Unsqueeze', [right, graph.integers(2)]);
    const product = graph.node('Mul', [shaped, factors]);
    return graph.node('Reshape', [product, graph.integers(0, -1)]);
  }

  constant({ name, values }: Vector): Value {
    return this.#graph.constant(name, 'float', [values.length], values);
  }

  matchLength(input: Value, like: Value): Value {
    const graph = this.#graph;
    const [own = '', wanted = ''] = [input, like].map((value) =>
      graph.node('ReduceL2', [value, graph.integers(1)]),
    );
    return graph.node('Mul', [input, graph.node('Div', [wanted, own])]);
  }

  keepPeaks(input: Value, deviations: number): Value {
    const graph = this.#graph;
    const mean = graph.node('ReduceMean', [input, graph.integers(1)]);
    const centered = graph.node('Sub', [input, mean]);
    const squares = graph.node('ReduceSumSquare', [centered, graph.integers(1)]);
    const width = graph.node('Shape', [input], { attributes: { start: 1 } });
    const count = graph.node('Sub', [
      graph.node('Cast', [width], { attributes: { to: elementTypes.float } }),
      graph.scalar(1),
    ]);
    const deviation = graph.node('Sqrt', [graph.node('Div', [squares, count])]);
    return graph.node('Relu', [graph.node('Sub', [centered, this.scale(deviation, deviations)])]);
  }

  clamp(input: Value, limit: number): Value {
    return this.#graph.node('Clip', [input, this.#graph.scalar(-limit), this.#graph.scalar(limit)]);
  }

  add(left: Value, right: Value): Value {
    return this.#graph.node('Add', [left, right]);
  }

  scale(input: Value, factor: number): Value {
    return factor === 1 ? input : this.#graph.node('Mul', [input, this.#graph.scalar(factor)]);
  }

  pool(input: Value, norm: NormWeight | undefined): Value {
    const rows = norm === undefined ? input : this.norm(input, norm);
    return this.#graph.node('MatMul', [portableTextNames.pooling, rows]);
  }

  output(name: 'vectors' | 'scores', value: Value, width: number): void {
    const graph = this.#graph;
    graph.output(graph.rename(value, portableTextNames[name]), 'float', ['nVectors', width]);
  }

  head(
    input: Value,
    norm: NormWeight,
    weight: LinearWeight,
    options: { readonly scale: number; readonly softcap?: number },
  ): void {
    const graph = this.#graph;
    const wanted = graph.node('Gather', [input, portableNames.rows], { attributes: { axis: 0 } });
    let logits = this.scale(this.#matrices.multiplyPrecisely(this.norm(wanted, norm), weight), options.scale);
    if (options.softcap !== undefined) {
      logits = this.scale(graph.node('Tanh', [this.scale(logits, 1 / options.softcap)]), options.softcap);
    }
    graph.output(graph.rename(logits, portableNames.logits), 'float', ['nRows', this.#config.vocabularySize]);
    const rows = graph.node('Concat', this.#attention.cacheRows, { attributes: { axis: 1 } });
    graph.output(graph.rename(rows, portableNames.cacheRows), 'float', ['nTokens', 'cacheWidth']);
  }
}

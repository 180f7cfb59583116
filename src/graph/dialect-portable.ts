import { RivuletError } from '../errors.ts';
import type { TensorInfo } from '../gguf/tensor-table.ts';
import { contribDomain, elementTypes } from '../onnx/graph-builder.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { LayerConfig, ModelConfig, Temperature } from './config.ts';
import type { AttentionInput, Dialect, LinearWeight, NormWeight } from './dialect.ts';
import { activate, gate } from './portable-activation.ts';
import { cacheLayers, padHead, portableNames } from './portable-io.ts';
import { PortableMatrices } from './portable-matrices.ts';
import type { RopeConfig } from './rope.ts';
import type { WeightPack } from './weight-pack.ts';

/** Standard ONNX plus `com.microsoft`: runs on stock ONNX Runtime, weights come out of a {@link WeightPack}. */
export class PortableDialect implements Dialect {
  readonly #graph: GraphBuilder;
  readonly #matrices: PortableMatrices;
  readonly #config: ModelConfig;
  readonly #cacheRows: Value[] = [];
  #temperatureScale: Value | undefined;
  readonly #rotations = new Map<RopeConfig, readonly [Value, Value]>();

  constructor(graph: GraphBuilder, pack: WeightPack, config: ModelConfig) {
    this.#graph = graph;
    this.#matrices = new PortableMatrices(graph, pack);
    this.#config = config;
    graph.input(portableNames.tokens, 'int64', ['nTokens']);
    graph.input(portableNames.positions, 'float', ['nTokens', 1]);
    graph.input(portableNames.rows, 'int64', ['nRows']);
    graph.input(portableNames.lastPosition, 'int32', [1]);
    graph.input(portableNames.totalLength, 'int32', []);
    for (const [layer, { kvHeads, headDim }] of cacheLayers(config).entries()) {
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
    const [gateInput = '', up = ''] = projected.length === 2 ? projected : this.#halves(projected[0] ?? '');
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

  attend(attention: AttentionInput): Value {
    const graph = this.#graph;
    const { config, layer } = attention;
    const { heads, kvHeads, headDim } = config;
    let query = this.#headNorm(attention.query, heads, config, attention.queryNorm);
    let key = this.#headNorm(attention.key, kvHeads, config, attention.keyNorm);
    if (config.rope !== undefined) {
      query = this.#rotate(query, heads, headDim, config.rope);
      key = this.#rotate(key, kvHeads, headDim, config.rope);
    }
    if (attention.temperature !== undefined) {
      query = graph.node('Mul', [query, this.#temperature(attention.temperature)]);
    }
    const paddedDim = padHead(headDim);
    query = this.#resizeHeads(query, heads, headDim, paddedDim);
    key = this.#resizeHeads(key, kvHeads, headDim, paddedDim);
    const value = this.#resizeHeads(attention.value, kvHeads, headDim, paddedDim);
    this.#cacheRows.push(key, value);
    const batch = graph.integers(0);
    // The present outputs must be declared: without them ONNX Runtime 1.30 ignores the past on CPUs.
    const [output = ''] = graph.nodes(
      'GroupQueryAttention',
      [
        ...[query, key, value].map((each) => graph.node('Unsqueeze', [each, batch])),
        portableNames.pastKey(layer),
        portableNames.pastValue(layer),
        portableNames.lastPosition,
        portableNames.totalLength,
      ],
      {
        domain: contribDomain,
        attributes: {
          num_heads: heads,
          kv_num_heads: kvHeads,
          scale: { float: attention.scale },
          ...(attention.softcap === undefined ? {} : { softcap: { float: attention.softcap } }),
          ...(config.window === undefined ? {} : { local_window_size: config.window }),
        },
        outputs: 3,
      },
    );
    return this.#resizeHeads(graph.node('Squeeze', [output, batch]), heads, paddedDim, headDim);
  }

  latentAttend(): Value {
    throw nativeOnly('latent attention', this.#config.architecture);
  }

  mixture(): Value {
    throw nativeOnly('mixtures of experts', this.#config.architecture);
  }

  multiply(left: Value, right: Value, groups?: number): Value {
    const graph = this.#graph;
    if (groups === undefined || groups === 1) return graph.node('Mul', [left, right]);
    const shaped = graph.node('Reshape', [left, graph.integers(0, groups, -1)]);
    const factors = graph.node('Unsqueeze', [right, graph.integers(2)]);
    const product = graph.node('Mul', [shaped, factors]);
    return graph.node('Reshape', [product, graph.integers(0, -1)]);
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
    const rows = graph.node('Concat', this.#cacheRows, { attributes: { axis: 1 } });
    graph.output(graph.rename(rows, portableNames.cacheRows), 'float', ['nTokens', 'cacheWidth']);
  }

  #halves(input: Value): Value[] {
    return this.#graph.nodes('Split', [input], { attributes: { axis: -1, num_outputs: 2 }, outputs: 2 });
  }

  /** A norm over each head, over the whole row, or over each head with weights of its own. */
  #headNorm(input: Value, heads: number, { headDim }: LayerConfig, norm: NormWeight | undefined): Value {
    if (norm === undefined) return input;
    const graph = this.#graph;
    if (norm.weight.length === heads * headDim && this.#config.norm === 'rms') return this.norm(input, norm);
    const perHead = norm.weight.length === headDim;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, headDim)]);
    const normed = perHead
      ? this.norm(shaped, norm)
      : graph.node('Mul', [
          this.norm(shaped, { name: `${norm.name}.unit`, weight: new Float32Array(headDim).fill(1) }),
          graph.constant(norm.name, 'float', [heads, headDim], norm.weight),
        ]);
    return graph.node('Reshape', [normed, graph.integers(-1, heads * headDim)]);
  }

  /** Adds zeros to every head, or takes them away again: neither changes scores or sums. */
  #resizeHeads(input: Value, heads: number, from: number, to: number): Value {
    if (from === to) return input;
    const graph = this.#graph;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, from)]);
    const resized =
      to > from
        ? graph.node('Pad', [shaped, graph.integers(0, 0, 0, 0, 0, to - from)])
        : graph.node('Slice', [shaped, graph.integers(0), graph.integers(to), graph.integers(2)]);
    return graph.node('Reshape', [resized, graph.integers(-1, heads * to)]);
  }

  #rotate(input: Value, heads: number, headDim: number, rope: RopeConfig): Value {
    const graph = this.#graph;
    const [cosine, sine] = this.#rotation(rope);
    const rotated = graph.node(
      'RotaryEmbedding',
      [graph.node('Unsqueeze', [input, graph.integers(0)]), cosine, sine],
      {
        attributes: {
          num_heads: heads,
          interleaved: rope.pairs === 'neighbours' ? 1 : 0,
          ...(rope.dimensions === headDim ? {} : { rotary_embedding_dim: rope.dimensions }),
        },
      },
    );
    return graph.node('Squeeze', [rotated, graph.integers(0)]);
  }

  /** Cosine and sine of this step's positions, (1, nTokens, dimensions / 2), once per kind of rotation. */
  #rotation(rope: RopeConfig): readonly [Value, Value] {
    const known = this.#rotations.get(rope);
    if (known !== undefined) return known;
    const graph = this.#graph;
    const half = rope.dimensions / 2;
    const frequencies = graph.constant(
      `rope_frequencies_${this.#rotations.size}`,
      'float',
      [1, half],
      Float32Array.from(rope.frequencies),
    );
    const angles = graph.node('Mul', [portableNames.positions, frequencies]);
    const [cosine = '', sine = ''] = ['Cos', 'Sin'].map((operator) =>
      graph.node('Unsqueeze', [
        this.scale(graph.node(operator, [angles]), rope.magnitude),
        graph.integers(0),
      ]),
    );
    this.#rotations.set(rope, [cosine, sine]);
    return [cosine, sine];
  }

  /** (nTokens, 1), as llama.cpp's `inp_attn_scale`. */
  #temperature({ scale, floorLength, offset }: Temperature): Value {
    const graph = this.#graph;
    if (this.#temperatureScale !== undefined) return this.#temperatureScale;
    const shifted = graph.node('Add', [portableNames.positions, graph.scalar(offset)]);
    const steps = graph.node('Floor', [graph.node('Div', [shifted, graph.scalar(floorLength)])]);
    const logarithm = graph.node('Log', [graph.node('Add', [steps, graph.scalar(1)])]);
    this.#temperatureScale = graph.node('Add', [this.scale(logarithm, scale), graph.scalar(1)]);
    return this.#temperatureScale;
  }
}

function nativeOnly(feature: string, architecture: string): RivuletError {
  return new RivuletError(
    'UNSUPPORTED',
    `The portable dialect has no ${feature}, which this "${architecture}" model needs. Load it with the native dialect.`,
    { details: { architecture } },
  );
}

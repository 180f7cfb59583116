import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { AttentionInput, NormWeight } from './dialect.ts';
import type { Temperature } from './layer-config.ts';
import { cachedHeadDim, portableNames } from './portable-io.ts';
import type { RopeConfig } from './rope.ts';

/** What an attention needs beyond the rows themselves. */
export interface Scores extends Pick<
  AttentionInput,
  'layer' | 'cacheOf' | 'scale' | 'softcap' | 'sinks' | 'alibiSlopes' | 'bidirectional' | 'positionBias'
> {
  readonly heads: number;
  readonly kvHeads: number;
  readonly window?: number;
  readonly chunk?: number;
}

/** How rows look at each other: over a cache, or only within whole texts. */
export interface PortableView {
  /** Rows (nTokens, heads or kvHeads * headDim) of queries, keys and values; the result as queries. */
  attend(query: Value, key: Value, value: Value, scores: Scores): Value;
}

/** A score that no softmax gives any weight to; an infinite one would make empty rows NaN. */
export const hiddenScore = -1e30;

/** Norms, rotations and head lengths around an attention; collects the new rows of the caches. */
export class PortableAttention {
  readonly #graph: GraphBuilder;
  readonly #view: PortableView;
  readonly #norm: (input: Value, weight: NormWeight) => Value;
  readonly #rotations = new Map<RopeConfig, readonly [Value, Value]>();
  readonly #shared = new Map<string, Value>();
  /** New keys and values by the layer that caches them. */
  readonly #newRows = new Map<number, readonly [key: Value, value: Value]>();

  constructor(graph: GraphBuilder, view: PortableView, norm: (input: Value, weight: NormWeight) => Value) {
    this.#graph = graph;
    this.#view = view;
    this.#norm = norm;
  }

  /** (nTokens, width) each: new rows of the caches, per layer key then value. */
  get cacheRows(): readonly Value[] {
    return [...this.#newRows.values()].flat();
  }

  attend(attention: AttentionInput): Value {
    const { config, layer, queryNorm, keyNorm, temperature, softcap, alibiSlopes, sinks } = attention;
    const { heads, kvHeads, headDim, valueDim, rope } = config;
    const prepare = (input: Value, count: number, norm: NormWeight | undefined): Value => {
      const normed = attention.normsAfterRotation ? input : this.#headNorm(input, count, headDim, norm);
      const rotated = rope === undefined ? normed : this.rotate(normed, count, headDim, rope);
      return attention.normsAfterRotation ? this.#headNorm(rotated, count, headDim, norm) : rotated;
    };
    const query = this.warm(prepare(attention.query, heads, queryNorm), temperature);
    const padded = cachedHeadDim(config);
    const rows = (): readonly [key: Value, value: Value] => [
      this.resizeHeads(prepare(attention.key, kvHeads, keyNorm), kvHeads, headDim, padded),
      this.resizeHeads(
        this.#headNorm(attention.value, kvHeads, valueDim, attention.valueNorm),
        kvHeads,
        valueDim,
        padded,
      ),
    ];
    // A layer that shares a cache adds the same rows to it once more, which changes nothing.
    const [key, value] = this.#newRows.get(attention.cacheOf ?? -1) ?? rows();
    const output = this.run(this.resizeHeads(query, heads, headDim, padded), key, value, {
      layer,
      ...(attention.cacheOf === undefined ? {} : { cacheOf: attention.cacheOf }),
      heads,
      kvHeads,
      scale: attention.scale,
      ...(softcap === undefined ? {} : { softcap }),
      ...(config.window === undefined ? {} : { window: config.window }),
      ...(config.chunk === undefined ? {} : { chunk: config.chunk }),
      ...(alibiSlopes === undefined ? {} : { alibiSlopes }),
      ...(sinks === undefined ? {} : { sinks }),
      ...(attention.bidirectional ? { bidirectional: true } : {}),
      ...(attention.positionBias === undefined ? {} : { positionBias: attention.positionBias }),
    });
    return this.resizeHeads(output, heads, padded, valueDim);
  }

  /** Attends, and keeps new rows for the cache of the layer if they are its own. */
  run(query: Value, key: Value, value: Value, scores: Scores): Value {
    const owner = scores.cacheOf ?? scores.layer;
    if (owner === scores.layer) this.#newRows.set(owner, [key, value]);
    return this.#view.attend(query, key, value, scores);
  }

  rotate(input: Value, heads: number, headDim: number, rope: RopeConfig): Value {
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

  /** Queries at their temperature. */
  warm(query: Value, temperature: Temperature | undefined): Value {
    return temperature === undefined
      ? query
      : this.#graph.node('Mul', [query, this.#temperature(temperature)]);
  }

  /** Adds zeros to every head, or takes them away again: neither changes scores or sums. */
  resizeHeads(input: Value, heads: number, from: number, to: number): Value {
    if (from === to) return input;
    const graph = this.#graph;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, from)]);
    const resized =
      to > from
        ? graph.node('Pad', [shaped, graph.integers(0, 0, 0, 0, 0, to - from)])
        : graph.node('Slice', [shaped, graph.integers(0), graph.integers(to), graph.integers(2)]);
    return graph.node('Reshape', [resized, graph.integers(-1, heads * to)]);
  }

  /** A norm over each head, with one weight for all or a weight per head. */
  #headNorm(input: Value, heads: number, headDim: number, norm: NormWeight | undefined): Value {
    if (norm === undefined) return input;
    const graph = this.#graph;
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, headDim)]);
    const own = norm.weight.length > headDim;
    const ones = { name: `${norm.name}.unit`, weight: new Float32Array(headDim).fill(1) };
    const normed = this.#norm(shaped, own ? ones : norm);
    const weighed = own
      ? graph.node('Mul', [normed, graph.constant(norm.name, 'float', [heads, headDim], norm.weight)])
      : normed;
    return graph.node('Reshape', [weighed, graph.integers(-1, heads * headDim)]);
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
    const [cosine = '', sine = ''] = ['Cos', 'Sin'].map((operator) => {
      const wave = graph.node(operator, [angles]);
      const sized = rope.magnitude === 1 ? wave : graph.node('Mul', [wave, graph.scalar(rope.magnitude)]);
      return graph.node('Unsqueeze', [sized, graph.integers(0)]);
    });
    this.#rotations.set(rope, [cosine, sine]);
    return [cosine, sine];
  }

  /** (nTokens, 1), as llama.cpp's `inp_attn_scale`. */
  #temperature({ scale, floorLength, offset }: Temperature): Value {
    return this.#once(`temperature ${scale} ${floorLength} ${offset}`, () => {
      const graph = this.#graph;
      const shifted = graph.node('Add', [portableNames.positions, graph.scalar(offset)]);
      const steps = graph.node('Floor', [graph.node('Div', [shifted, graph.scalar(floorLength)])]);
      const logarithm = graph.node('Log', [graph.node('Add', [steps, graph.scalar(1)])]);
      const scaled = graph.node('Mul', [logarithm, graph.scalar(scale)]);
      return graph.node('Add', [scaled, graph.scalar(1)]);
    });
  }

  #once(key: string, make: () => Value): Value {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#shared.set(key, value);
    return value;
  }
}

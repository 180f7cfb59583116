import type { TensorInfo } from '../gguf/tensor-table.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { LatentAttentionInput, LatentExpansion } from './dialect.ts';
import type { PortableAttention } from './portable-attention.ts';
import { cachedHeadDim } from './portable-io.ts';
import type { PortableMatrices } from './portable-matrices.ts';
import type { PortableStacks } from './portable-stacks.ts';

type Expansion<Kind extends LatentExpansion['kind']> = Extract<LatentExpansion, { kind: Kind }>;

/**
 * Latent attention as attention of whole keys and values, or, in its absorbed form, of all heads over the one
 * latent that is both.
 */
export class PortableLatentAttention {
  readonly #graph: GraphBuilder;
  readonly #matrices: PortableMatrices;
  readonly #stacks: PortableStacks;
  readonly #attention: PortableAttention;

  constructor(
    graph: GraphBuilder,
    matrices: PortableMatrices,
    stacks: PortableStacks,
    attention: PortableAttention,
  ) {
    this.#graph = graph;
    this.#matrices = matrices;
    this.#stacks = stacks;
    this.#attention = attention;
  }

  attend(input: LatentAttentionInput): Value {
    const { config, expansion, latentConfig } = input;
    const { heads, headDim, rope } = config;
    const { rotatedLength } = latentConfig;
    const [unrotated = '', rotated = ''] = this.#cutHeads(input.query, heads, [
      headDim - rotatedLength,
      rotatedLength,
    ]);
    const turn = (value: Value, count: number): Value =>
      rope === undefined ? value : this.#attention.rotate(value, count, rotatedLength, rope);
    const parts = { unrotated, rotated: turn(rotated, heads), key: turn(input.rotatedKey, 1) };
    return expansion.kind === 'absorbed'
      ? this.#absorbed(input, expansion, parts)
      : this.#joint(input, expansion, parts);
  }

  #absorbed(
    { layer, config, latent, latentConfig, scale, temperature }: LatentAttentionInput,
    expansion: Expansion<'absorbed'>,
    parts: { readonly unrotated: Value; readonly rotated: Value; readonly key: Value },
  ): Value {
    const { heads } = config;
    const { length, rotatedLength } = latentConfig;
    const width = length + rotatedLength;
    const padded = cachedHeadDim(config);
    const absorbed = this.#perHead(parts.unrotated, expansion.key);
    const query = this.#joinHeads([absorbed, parts.rotated], heads, [length, rotatedLength]);
    const key = this.#graph.node('Concat', [latent, parts.key], { attributes: { axis: 1 } });
    const cached = this.#attention.resizeHeads(key, 1, width, padded);
    const output = this.#attention.run(
      this.#attention.resizeHeads(this.#attention.warm(query, temperature), heads, width, padded),
      cached,
      cached,
      { layer, heads, kvHeads: 1, scale },
    );
    const latents = this.#attention.resizeHeads(output, heads, padded, length);
    return this.#perHead(latents, expansion.value);
  }

  #joint(
    { layer, config, latent, latentConfig, scale, temperature }: LatentAttentionInput,
    expansion: Expansion<'joint'>,
    parts: { readonly unrotated: Value; readonly rotated: Value; readonly key: Value },
  ): Value {
    const graph = this.#graph;
    const { heads, headDim, valueDim } = config;
    const { rotatedLength } = latentConfig;
    const unrotatedLength = headDim - rotatedLength;
    const padded = cachedHeadDim(config);
    const expanded = this.#matrices.multiply(latent, { weight: expansion.weight });
    const [keyPart = '', value = ''] = this.#cutHeads(expanded, heads, [unrotatedLength, valueDim]);
    const sharedKey = graph.node('Tile', [parts.key, graph.integers(1, heads)]);
    const widths = [unrotatedLength, rotatedLength];
    const query = this.#joinHeads([parts.unrotated, parts.rotated], heads, widths);
    const key = this.#joinHeads([keyPart, sharedKey], heads, widths);
    const output = this.#attention.run(
      this.#attention.resizeHeads(this.#attention.warm(query, temperature), heads, headDim, padded),
      this.#attention.resizeHeads(key, heads, headDim, padded),
      this.#attention.resizeHeads(value, heads, valueDim, padded),
      { layer, heads, kvHeads: heads, scale },
    );
    return this.#attention.resizeHeads(output, heads, padded, valueDim);
  }

  /** (nTokens, heads * Σ widths) → per width (nTokens, heads * width). */
  #cutHeads(input: Value, heads: number, widths: readonly number[]): Value[] {
    const graph = this.#graph;
    const total = widths.reduce((sum, width) => sum + width, 0);
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, total)]);
    return graph
      .nodes('Split', [shaped, graph.integers(...widths)], {
        attributes: { axis: -1 },
        outputs: widths.length,
      })
      .map((part, index) => graph.node('Reshape', [part, graph.integers(-1, heads * (widths[index] ?? 0))]));
  }

  /** The reverse of {@link #cutHeads}. */
  #joinHeads(inputs: readonly Value[], heads: number, widths: readonly number[]): Value {
    const graph = this.#graph;
    const shaped = inputs.map((input, index) =>
      graph.node('Reshape', [input, graph.integers(-1, heads, widths[index] ?? 0)]),
    );
    const joined = graph.node('Concat', shaped, { attributes: { axis: 2 } });
    const total = widths.reduce((sum, width) => sum + width, 0);
    return graph.node('Reshape', [joined, graph.integers(-1, heads * total)]);
  }

  /** (nTokens, heads * columns) → (nTokens, heads * rows), each head with its own matrix. */
  #perHead(input: Value, weight: TensorInfo): Value {
    const graph = this.#graph;
    const [columns = 0, rows = 0, heads = 1] = weight.shape;
    const swap = { attributes: { perm: { ints: [1, 0, 2] } } };
    const shaped = graph.node('Reshape', [input, graph.integers(-1, heads, columns)]);
    const products = this.#stacks.each(graph.node('Transpose', [shaped], swap), weight);
    return graph.node('Reshape', [
      graph.node('Transpose', [products], swap),
      graph.integers(-1, heads * rows),
    ]);
  }
}

import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { LatentAttentionInput, LatentExpansion } from './dialect.ts';
import type { PortableAttention } from './portable-attention.ts';
import { cachedHeadDim } from './portable-io.ts';
import type { PortableMatrices } from './portable-matrices.ts';

type Expansion<Kind extends LatentExpansion['kind']> = Extract<LatentExpansion, { kind: Kind }>;

/**
 * Latent attention as attention of whole keys and values, or, in its absorbed form, of all heads over the one
 * latent that is both.
 */
export class PortableLatentAttention {
  readonly #graph: GraphBuilder;
  readonly #matrices: PortableMatrices;
  readonly #attention: PortableAttention;

  constructor(graph: GraphBuilder, matrices: PortableMatrices, attention: PortableAttention) {
    this.#graph = graph;
    this.#matrices = matrices;
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
    const { heads, headDim } = config;
    const { length, rotatedLength } = latentConfig;
    const width = length + rotatedLength;
    const padded = cachedHeadDim(config);
    const absorbed = this.#perHead(parts.unrotated, heads, headDim - rotatedLength, (head, index) =>
      this.#matrices.multiplyOne(head, expansion.key, index),
    );
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
    return this.#perHead(latents, heads, length, (head, index) =>
      this.#matrices.multiplyOne(head, expansion.value, index),
    );
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

  /** Each head (nTokens, width) through a product of its own, side by side again. */
  #perHead(
    input: Value,
    heads: number,
    width: number,
    product: (head: Value, index: number) => Value,
  ): Value {
    const graph = this.#graph;
    const widths = Array.from({ length: heads }, () => width);
    const parts = graph.nodes('Split', [input, graph.integers(...widths)], {
      attributes: { axis: 1 },
      outputs: heads,
    });
    return graph.node('Concat', parts.map(product), { attributes: { axis: 1 } });
  }
}

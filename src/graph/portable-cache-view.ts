import { contribDomain } from '../onnx/graph-builder.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { hiddenScore } from './portable-attention.ts';
import type { PortableView, Scores } from './portable-attention.ts';
import { portableNames } from './portable-io.ts';

/** One sequence over its cache, to which keys and values are added: GroupQueryAttention. */
export class PortableCacheView implements PortableView {
  readonly #graph: GraphBuilder;
  readonly #shared = new Map<string, Value>();

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  attend(query: Value, key: Value, value: Value, scores: Scores): Value {
    const graph = this.#graph;
    const owner = scores.cacheOf ?? scores.layer;
    const bias = this.#bias(scores);
    const { sinks, heads } = scores;
    const sinkRow = sinks === undefined ? '' : graph.constant(sinks.name, 'float', [heads], sinks.values);
    const batch = graph.integers(0);
    const optional = ['', '', '', bias ?? '', sinkRow];
    while (optional.at(-1) === '') optional.pop();
    // The present outputs must be declared: without them ONNX Runtime 1.30 ignores the past on CPUs.
    const [output = ''] = graph.nodes(
      'GroupQueryAttention',
      [
        ...[query, key, value].map((each) => graph.node('Unsqueeze', [each, batch])),
        portableNames.pastKey(owner),
        portableNames.pastValue(owner),
        portableNames.lastPosition,
        portableNames.totalLength,
        ...optional,
      ],
      {
        domain: contribDomain,
        attributes: {
          num_heads: scores.heads,
          kv_num_heads: scores.kvHeads,
          scale: { float: scores.scale },
          ...(scores.softcap === undefined ? {} : { softcap: { float: scores.softcap } }),
          ...(scores.window === undefined ? {} : { local_window_size: scores.window }),
        },
        outputs: 3,
      },
    );
    return graph.node('Squeeze', [output, batch]);
  }

  /** (1, heads or 1, nTokens, totalLength) added to the scores; undefined when nothing is. */
  #bias({ layer, heads, chunk, alibiSlopes: slopes }: Scores): Value | undefined {
    const graph = this.#graph;
    const terms: Value[] = [];
    if (slopes !== undefined) {
      const key = slopes.join(' ');
      terms.push(
        this.#once(`slopes ${key}`, () => {
          const factors = graph.constant(
            `alibi_slopes_${layer}`,
            'float',
            [1, heads, 1, 1],
            slopes.map((slope) => -slope),
          );
          const distances = graph.node('Sub', [portableNames.positions, this.#keyPositions()]);
          return graph.node('Mul', [distances, factors]);
        }),
      );
    }
    if (chunk !== undefined) {
      terms.push(
        this.#once(`chunk ${chunk}`, () => {
          const [own, other] = [portableNames.positions, this.#keyPositions()].map((positions) =>
            graph.node('Floor', [graph.node('Div', [positions, graph.scalar(chunk)])]),
          );
          const apart = graph.node('Greater', [own ?? '', other ?? '']);
          const hidden = graph.node('Where', [apart, graph.scalar(hiddenScore), graph.scalar(0)]);
          return graph.node('Unsqueeze', [hidden, graph.integers(0, 1)]);
        }),
      );
    }
    const [first, second] = terms;
    return second === undefined ? first : graph.node('Add', [first ?? '', second]);
  }

  /** (1, totalLength) f32 */
  #keyPositions(): Value {
    return this.#once('key positions', () => {
      const graph = this.#graph;
      const total = graph.node('Cast', [portableNames.totalLength], { attributes: { to: 1 } });
      const range = graph.node('Range', [graph.scalar(0), total, graph.scalar(1)]);
      return graph.node('Unsqueeze', [range, graph.integers(0)]);
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

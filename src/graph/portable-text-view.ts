import { elementTypes } from '../onnx/graph-builder.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import { hiddenScore } from './portable-attention.ts';
import type { PortableView, Scores } from './portable-attention.ts';
import { portableTextNames as names } from './portable-io.ts';
import type { PositionBias } from './position-bias.ts';

/**
 * Whole texts beside each other, of which nothing is kept: rows are laid out as (nTexts, longest), where padding is
 * hidden, and come back as the rows of tokens alone.
 */
export class PortableTextView implements PortableView {
  readonly #graph: GraphBuilder;
  readonly #shared = new Map<string, Value>();

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
    graph.input(names.slots, 'int64', ['nTexts', 'longest']);
    graph.input(names.places, 'int64', ['nTokens']);
    graph.input(names.lengths, 'float', ['nTexts', 1]);
  }

  attend(query: Value, key: Value, value: Value, scores: Scores): Value {
    const graph = this.#graph;
    const { heads, kvHeads, scale, softcap, sinks } = scores;
    const laid = [query, key, value].map((rows) =>
      graph.node('Gather', [rows, names.slots], { attributes: { axis: 0 } }),
    );
    let mask = this.#mask(scores);
    if (sinks !== undefined) {
      // A place more, without key and value, whose score is the sink.
      for (const part of [1, 2]) {
        laid[part] = graph.node('Pad', [laid[part] ?? '', graph.integers(0, 0, 0, 0, 1, 0)]);
      }
      const column = graph.constant(sinks.name, 'float', [1, heads, 1, 1], sinks.values);
      const shape = graph.node('Shape', [mask], { attributes: { end: 3 } });
      const perHead = graph.node(
        'Concat',
        [
          graph.node('Slice', [shape, graph.integers(0), graph.integers(1)]),
          graph.integers(heads),
          graph.node('Slice', [shape, graph.integers(2), graph.integers(3)]),
          graph.integers(1),
        ],
        { attributes: { axis: 0 } },
      );
      const whole = graph.node('Expand', [mask, graph.integers(1, heads, 1, 1)]);
      mask = graph.node('Concat', [whole, graph.node('Expand', [column, perHead])], {
        attributes: { axis: 3 },
      });
    }
    const output = graph.node('Attention', [...laid, mask], {
      attributes: {
        q_num_heads: heads,
        kv_num_heads: kvHeads,
        scale: { float: scale },
        ...(softcap === undefined ? {} : { softcap: { float: softcap } }),
      },
    });
    const width = graph.node('Shape', [query], { attributes: { start: 1 } });
    const shape = graph.node('Concat', [graph.integers(-1), width], { attributes: { axis: 0 } });
    const rows = graph.node('Reshape', [output, shape]);
    return graph.node('Gather', [rows, names.places], { attributes: { axis: 0 } });
  }

  /** (nTexts, 1 or heads, longest, longest) added to the scores. */
  #mask({ layer, heads, window, chunk, alibiSlopes, bidirectional, positionBias }: Scores): Value {
    const graph = this.#graph;
    const terms = [this.#padding()];
    if (!bidirectional) {
      terms.push(this.#hidden('later', (distance) => graph.node('Less', [distance, graph.scalar(0)])));
    }
    if (window !== undefined) {
      const reach = graph.scalar(bidirectional ? Math.floor(window / 2) : window - 1);
      const within = `window ${bidirectional ? 'around' : 'before'} ${window}`;
      terms.push(
        this.#hidden(within, (distance) => graph.node('Greater', [graph.node('Abs', [distance]), reach])),
      );
    }
    if (chunk !== undefined) terms.push(this.#chunks(chunk));
    if (alibiSlopes !== undefined) {
      terms.push(
        this.#once(`slopes ${alibiSlopes.join(' ')}`, () => {
          const factors = graph.constant(
            `alibi_slopes_${layer}`,
            'float',
            [1, heads, 1, 1],
            alibiSlopes.map((slope) => -slope),
          );
          return graph.node('Mul', [graph.node('Abs', [this.#distances()]), factors]);
        }),
      );
    }
    if (positionBias !== undefined) terms.push(this.#positionBias(positionBias, heads));
    return this.#once(`sum ${terms.join(' ')}`, () =>
      terms.reduce((sum, term) => graph.node('Add', [sum, term])),
    );
  }

  /** (nTexts, 1, longest, longest): nobody sees places behind the end of their text. */
  #padding(): Value {
    return this.#once('padding', () => {
      const graph = this.#graph;
      const within = graph.node('Less', [this.#positions(), names.lengths]);
      const scores = graph.node('Where', [within, graph.scalar(0), graph.scalar(hiddenScore)]);
      const perText = graph.node('Unsqueeze', [scores, graph.integers(1, 2)]);
      return graph.node('Add', [perText, graph.node('Mul', [this.#distances(), graph.scalar(0)])]);
    });
  }

  /** (longest, longest): which of those places are hidden that lie so far before another; negative = behind it. */
  #hidden(key: string, test: (distance: Value) => Value): Value {
    return this.#once(key, () =>
      this.#graph.node('Where', [
        test(this.#distances()),
        this.#graph.scalar(hiddenScore),
        this.#graph.scalar(0),
      ]),
    );
  }

  /** (longest, longest): places of other chunks are hidden. */
  #chunks(length: number): Value {
    return this.#once(`chunk ${length}`, () => {
      const graph = this.#graph;
      const chunks = graph.node('Floor', [graph.node('Div', [this.#positions(), graph.scalar(length)])]);
      const apart = graph.node('Sub', [graph.node('Unsqueeze', [chunks, graph.integers(1)]), chunks]);
      const same = graph.node('Equal', [apart, graph.scalar(0)]);
      return graph.node('Where', [same, graph.scalar(0), graph.scalar(hiddenScore)]);
    });
  }

  /** (1, heads, longest, longest) */
  #positionBias({ name, values, reach }: PositionBias, heads: number): Value {
    return this.#once(`bias ${name}`, () => {
      const graph = this.#graph;
      const table = graph.constant(name, 'float', [heads, 2 * reach + 1], values);
      const near = graph.node('Clip', [this.#distances(), graph.scalar(-reach), graph.scalar(reach)]);
      const columns = graph.node('Cast', [graph.node('Sub', [graph.scalar(reach), near])], {
        attributes: { to: elementTypes.int64 },
      });
      const gathered = graph.node('Gather', [table, columns], { attributes: { axis: 1 } });
      return graph.node('Unsqueeze', [gathered, graph.integers(0)]);
    });
  }

  /** (longest, longest) f32: position of the row less that of the column. */
  #distances(): Value {
    return this.#once('distances', () => {
      const graph = this.#graph;
      const positions = this.#positions();
      return graph.node('Sub', [graph.node('Unsqueeze', [positions, graph.integers(1)]), positions]);
    });
  }

  /** (longest,) f32 */
  #positions(): Value {
    return this.#once('positions', () => {
      const graph = this.#graph;
      const shape = graph.node('Shape', [names.slots], { attributes: { start: 1 } });
      const longest = graph.node('Squeeze', [shape]);
      const count = graph.node('Cast', [longest], { attributes: { to: elementTypes.float } });
      return graph.node('Range', [graph.scalar(0), count, graph.scalar(1)]);
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

import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { MixtureInput, Vector } from './dialect.ts';
import type { MixtureConfig } from './mixture-config.ts';
import { activate, gate, halves } from './portable-activation.ts';
import type { PortableMatrices } from './portable-matrices.ts';

/** Sums of weights smaller than what f16 can hold count as this. */
const smallestSum = 2 ** -14;

/** A score that no choice falls on. */
const hiddenScore = -1e30;

/**
 * A mixture in standard operators: every expert works on the tokens that chose it, one after the other. The
 * nodes of experts that nobody chose run on no rows.
 */
export class PortableMixture {
  readonly #graph: GraphBuilder;
  readonly #matrices: PortableMatrices;

  constructor(graph: GraphBuilder, matrices: PortableMatrices) {
    this.#graph = graph;
    this.#matrices = matrices;
  }

  mix({ config, input, logits, selectionBias, hidden, holdsGate, down }: MixtureInput): Value {
    const graph = this.#graph;
    const weights = this.#weights(config, logits, selectionBias);
    let sum = graph.node('ConstantOfShape', [graph.node('Shape', [input])]);
    for (let expert = 0; expert < config.experts; expert++) {
      const column = graph.node('Slice', [
        weights,
        graph.integers(expert),
        graph.integers(expert + 1),
        graph.integers(1),
      ]);
      const chosen = graph.node('NonZero', [graph.node('Squeeze', [column, graph.integers(1)])]);
      const tokens = graph.node('Squeeze', [chosen, graph.integers(0)]);
      const own = graph.node('Gather', [column, tokens], { attributes: { axis: 0 } });
      const rows = graph.node('Gather', [input, tokens], { attributes: { axis: 0 } });
      const entering = config.weighsInput ? graph.node('Mul', [rows, own]) : rows;
      const products = hidden.map((weight) => this.#matrices.multiplyOne(entering, weight, expert));
      const output = this.#matrices.multiplyOne(this.#activated(config, products, holdsGate), down, expert);
      const leaving = config.weighsInput ? output : graph.node('Mul', [output, own]);
      sum = graph.node('ScatterND', [sum, graph.node('Transpose', [chosen]), leaving], {
        attributes: { reduction: 'add' },
      });
    }
    return sum;
  }

  #activated(config: MixtureConfig, products: readonly Value[], holdsGate: boolean): Value {
    const [first = '', second] = products;
    const { activation, limits } = config;
    if (second !== undefined) return gate(this.#graph, first, second, activation, limits);
    if (!holdsGate) return activate(this.#graph, first, activation);
    const [gateHalf = '', up = ''] = halves(this.#graph, first);
    return gate(this.#graph, gateHalf, up, activation, limits);
  }

  /** (nTokens, experts), zero for those that a token did not choose. */
  #weights(config: MixtureConfig, logits: Value, selectionBias: Vector | undefined): Value {
    const graph = this.#graph;
    const { experts, used, scale } = config;
    const scores =
      config.gate === 'softmax'
        ? this.#softmax(logits)
        : config.gate === 'sigmoid'
          ? graph.node('Sigmoid', [logits])
          : logits;
    const biased =
      selectionBias === undefined
        ? scores
        : graph.node('Add', [
            scores,
            graph.constant(selectionBias.name, 'float', [experts], selectionBias.values),
          ]);
    const [, chosen = ''] = this.#top(this.#inBestGroups(config, biased), used);
    let weights = graph.node('GatherElements', [scores, chosen], { attributes: { axis: 1 } });
    if (config.gate === 'softmax-chosen') weights = this.#softmax(weights);
    if (config.normalizes) {
      const sum = graph.node('ReduceSum', [weights, graph.integers(1)]);
      weights = graph.node('Div', [weights, graph.node('Max', [sum, graph.scalar(smallestSum)])]);
    }
    if (scale !== 1) weights = graph.node('Mul', [weights, graph.scalar(scale)]);
    const spread = graph.node('Mul', [
      this.#oneHot(chosen, experts),
      graph.node('Unsqueeze', [weights, graph.integers(2)]),
    ]);
    return graph.node('ReduceSum', [spread, graph.integers(1)], { attributes: { keepdims: 0 } });
  }

  /** Scores with those outside of the best groups hidden. */
  #inBestGroups({ experts, groups }: MixtureConfig, scores: Value): Value {
    if (groups === undefined) return scores;
    const graph = this.#graph;
    const shaped = graph.node('Reshape', [scores, graph.integers(-1, groups.count, experts / groups.count)]);
    const [best = ''] = this.#top(shaped, 2);
    const sums = graph.node('ReduceSum', [best, graph.integers(2)], { attributes: { keepdims: 0 } });
    const [, chosen = ''] = this.#top(sums, groups.used);
    const marks = graph.node('ReduceSum', [this.#oneHot(chosen, groups.count), graph.integers(1)], {
      attributes: { keepdims: 0 },
    });
    const marked = graph.node('Unsqueeze', [
      graph.node('Greater', [marks, graph.scalar(0)]),
      graph.integers(2),
    ]);
    const shown = graph.node('Where', [marked, shaped, graph.scalar(hiddenScore)]);
    return graph.node('Reshape', [shown, graph.integers(-1, experts)]);
  }

  #softmax(input: Value): Value {
    return this.#graph.node('Softmax', [input], { attributes: { axis: -1 } });
  }

  /** Values and indices of the largest entries of the last axis. */
  #top(input: Value, count: number): Value[] {
    return this.#graph.nodes('TopK', [input, this.#graph.integers(count)], {
      attributes: { axis: -1 },
      outputs: 2,
    });
  }

  /** (nTokens, k) indices → (nTokens, k, depth) f32 ones and zeros. */
  #oneHot(indices: Value, depth: number): Value {
    const graph = this.#graph;
    const values = graph.constant('zero_and_one', 'float', [2], Float32Array.of(0, 1));
    return graph.node('OneHot', [indices, graph.integers(depth), values], { attributes: { axis: -1 } });
  }
}

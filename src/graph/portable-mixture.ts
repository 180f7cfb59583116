import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { MixtureInput, Vector } from './dialect.ts';
import type { MixtureConfig } from './mixture-config.ts';
import { activate, gate, halves } from './portable-activation.ts';
import type { PortableStacks } from './portable-stacks.ts';

/** Sums of weights smaller than what f16 can hold count as this. */
const smallestSum = 2 ** -14;

/** A score that no choice falls on. */
const hiddenScore = -1e30;

/** A mixture in standard operators: token after token, through the experts that it chose. */
export class PortableMixture {
  readonly #graph: GraphBuilder;
  readonly #stacks: PortableStacks;

  constructor(graph: GraphBuilder, stacks: PortableStacks) {
    this.#graph = graph;
    this.#stacks = stacks;
  }

  mix({ config, input, logits, selectionBias, hidden, holdsGate, down }: MixtureInput): Value {
    const graph = this.#graph;
    const { used, weighsInput } = config;
    const [weights, chosen] = this.#choose(config, logits, selectionBias);
    const ones = graph.constant(`ones_${used}`, 'float', [used, 1], new Float32Array(used).fill(1));
    const body = graph.body(
      [
        { type: 'float', dimensions: [down.weight.shape[1] ?? 0] },
        { type: 'int64', dimensions: [used] },
        { type: 'float', dimensions: [used] },
      ],
      ([token = '', experts = '', shares = '']) => {
        const row = graph.node('Unsqueeze', [token, graph.integers(0)]);
        const factors = graph.node('Unsqueeze', [shares, graph.integers(1)]);
        const products = hidden.map((weight) =>
          this.#stacks.spread(row, weight, experts, used, weighsInput ? factors : undefined),
        );
        const inner = this.#activated(config, products, holdsGate);
        const sum = this.#stacks.sum(inner, down, experts, used, weighsInput ? ones : factors);
        return [graph.node('Squeeze', [sum, graph.integers(0)])];
      },
    );
    return graph.node('Scan', [input, chosen, weights], { attributes: { body, num_scan_inputs: 3 } });
  }

  #activated(config: MixtureConfig, products: readonly Value[], holdsGate: boolean): Value {
    const [first = '', second] = products;
    const { activation, limits } = config;
    if (second !== undefined) return gate(this.#graph, first, second, activation, limits);
    if (!holdsGate) return activate(this.#graph, first, activation);
    const [gateHalf = '', up = ''] = halves(this.#graph, first);
    return gate(this.#graph, gateHalf, up, activation, limits);
  }

  /** (nTokens, used) weights and indices of the experts that each token chose. */
  #choose(
    config: MixtureConfig,
    logits: Value,
    selectionBias: Vector | undefined,
  ): readonly [weights: Value, chosen: Value] {
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
    return [weights, chosen];
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

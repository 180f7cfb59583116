import { contribDomain } from '../onnx/graph-builder.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits, Xielu } from './activation.ts';

/** Standard and contrib operators of the functions without numbers of their own. */
const operators: Readonly<
  Record<Exclude<Activation, Xielu | 'relu-squared'>, (graph: GraphBuilder, input: Value) => Value>
> = {
  silu: (graph, input) => sigmoidScaled(graph, input, 1),
  gelu: (graph, input) => graph.node('FastGelu', [input], { domain: contribDomain }),
  'gelu-erf': (graph, input) => graph.node('Gelu', [input], { attributes: { approximate: 'none' } }),
  'gelu-quick': (graph, input) => sigmoidScaled(graph, input, 1.702),
  relu: (graph, input) => graph.node('Relu', [input]),
  sigmoid: (graph, input) => graph.node('Sigmoid', [input]),
  tanh: (graph, input) => graph.node('Tanh', [input]),
  softplus: (graph, input) => graph.node('Softplus', [input]),
};

export function activate(graph: GraphBuilder, input: Value, activation: Activation): Value {
  if (typeof activation === 'object') return xielu(graph, input, activation);
  if (activation === 'relu-squared') {
    const positive = graph.node('Relu', [input]);
    return graph.node('Mul', [positive, positive]);
  }
  return operators[activation](graph, input);
}

/** activation(gate) * up within the limits. */
export function gate(
  graph: GraphBuilder,
  gateInput: Value,
  upInput: Value,
  activation: Activation,
  limits: GateLimits = {},
): Value {
  const within = (value: Value, least: number | undefined, most: number | undefined): Value =>
    most === undefined
      ? value
      : graph.node('Clip', [value, least === undefined ? '' : graph.scalar(least), graph.scalar(most)]);
  const gated = activate(graph, within(gateInput, undefined, limits.gate), activation);
  const up = within(upInput, limits.up === undefined ? undefined : -limits.up, limits.up);
  const shifted = limits.upOffset === undefined ? up : graph.node('Add', [up, graph.scalar(limits.upOffset)]);
  return graph.node('Mul', [within(gated, undefined, limits.activated), shifted]);
}

/** The two halves of every row. */
export function halves(graph: GraphBuilder, input: Value): Value[] {
  return graph.nodes('Split', [input], { attributes: { axis: -1, num_outputs: 2 }, outputs: 2 });
}

/** x * sigmoid(factor * x) */
function sigmoidScaled(graph: GraphBuilder, input: Value, factor: number): Value {
  return graph.node('QuickGelu', [input], {
    domain: contribDomain,
    attributes: { alpha: { float: factor } },
  });
}

/** Both branches are finite where they are not chosen: squares of the positive part, exp of at most epsilon. */
function xielu(graph: GraphBuilder, input: Value, { positive, negative, beta, epsilon }: Xielu): Value {
  const times = (value: Value, factor: number): Value => graph.node('Mul', [value, graph.scalar(factor)]);
  const above = graph.node('Relu', [input]);
  const below = graph.node('Min', [input, graph.scalar(epsilon)]);
  const exponential = graph.node('Sub', [graph.node('Exp', [below]), graph.scalar(1)]);
  const curved = graph.node('Where', [
    graph.node('Greater', [input, graph.scalar(0)]),
    times(graph.node('Mul', [above, above]), positive),
    times(graph.node('Sub', [exponential, input]), negative),
  ]);
  return graph.node('Add', [curved, times(input, beta)]);
}

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

import type { Activation, GateLimits } from '../../src/graph/activation.ts';
import { activate, gate } from '../../src/graph/portable-activation.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import type { Value } from '../../src/onnx/graph-builder.ts';

const inputs = Float32Array.of(-30, -5, -1.5, -0.3, -1e-7, 0, 1e-7, 0.3, 1.5, 5, 30);
const ups = inputs.map((_, index) => 3 - index);

async function run(build: (graph: GraphBuilder, x: Value, up: Value) => Value): Promise<Float32Array> {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float', ['n', 1]);
  const up = graph.input('up', 'float', ['n', 1]);
  // The product with zero keeps an unused input in the graph.
  const unused = graph.node('Mul', [up, graph.scalar(0)]);
  const value = graph.node('Add', [build(graph, x, up), unused]);
  graph.output(graph.rename(value, 'y'), 'float', ['n', 1]);
  const session = await InferenceSession.create(graph.build());
  const shape = [inputs.length, 1];
  const { y } = await session.run({
    x: new Tensor('float32', inputs, shape),
    up: new Tensor('float32', ups, shape),
  });
  await session.release();
  return y?.data as Float32Array;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Error function by its Maclaurin series, 1 or -1 where it would need too many terms. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [sum, term] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const tanhGelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const xielu: Activation = { kind: 'xielu', positive: 0.7, negative: 1.2, beta: 0.5, epsilon: -1e-6 };

const functions: readonly (readonly [Activation, (x: number) => number])[] = [
  ['silu', (x) => x * sigmoid(x)],
  ['gelu', tanhGelu],
  ['gelu-erf', (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
  ['gelu-quick', (x) => x * sigmoid(1.702 * x)],
  ['relu', (x) => Math.max(0, x)],
  ['relu-squared', (x) => Math.max(0, x) ** 2],
  ['sigmoid', sigmoid],
  ['tanh', Math.tanh],
  ['softplus', (x) => (x > 20 ? x : Math.log1p(Math.exp(x)))],
  [xielu, (x) => (x > 0 ? 0.7 * x * x + 0.5 * x : 1.2 * (Math.expm1(Math.min(x, -1e-6)) - x) + 0.5 * x)],
];

function expectClose(found: Float32Array, expected: readonly number[]): void {
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((found[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(value)),
    );
  }
}

describe('activations in standard operators', () => {
  it.each(functions)('%j', async (activation, exact) => {
    const found = await run((graph, x) => activate(graph, x, activation));
    expectClose(found, Array.from(inputs, exact));
  });
});

describe('gates', () => {
  const [, silu] = functions[0] ?? [];
  const clamp = (x: number, limit: number): number => Math.max(-limit, Math.min(limit, x));
  const cases: readonly (readonly [string, GateLimits, (x: number, up: number) => number])[] = [
    ['without limits', {}, (x, up) => (silu?.(x) ?? 0) * up],
    [
      'limited after the activation, as step35',
      { activated: 2, up: 2 },
      (x, up) => Math.min(silu?.(x) ?? 0, 2) * clamp(up, 2),
    ],
    [
      'limited before the activation, up moved, as gpt-oss',
      { gate: 3, up: 2, upOffset: 1 },
      (x, up) => (silu?.(Math.min(x, 3)) ?? 0) * (clamp(up, 2) + 1),
    ],
  ];
  it.each(cases)('%s', async (_, limits, exact) => {
    const found = await run((graph, x, up) => gate(graph, x, up, 'silu', limits));
    expectClose(
      found,
      Array.from(inputs, (x, index) => exact(x, ups[index] ?? 0)),
    );
  });
});

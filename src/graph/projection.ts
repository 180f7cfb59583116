import type { Value } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { Dialect, LinearWeight } from './dialect.ts';
import type { ScaledWeight } from './weight-lookup.ts';

/** Several weights on one input, each product times its weight's own number. */
export function project(dialect: Dialect, input: Value, weights: readonly ScaledWeight[]): Value[] {
  const products = dialect.linear(input, weights.map(plain));
  return products.map((product, index) => dialect.scale(product, weights[index]?.outputScale ?? 1));
}

/** activation(gate) * up, as {@link Dialect.gated}. */
export function projectGated(
  dialect: Dialect,
  input: Value,
  weights: readonly ScaledWeight[],
  activation: Activation,
  limits: GateLimits | undefined,
): Value {
  if (weights.every(({ outputScale }) => outputScale === undefined)) {
    return dialect.gated(input, weights, activation, limits);
  }
  const [gate = '', up = ''] =
    weights.length === 2
      ? project(dialect, input, weights)
      : halves(dialect, project(dialect, input, weights)[0] ?? '', weights[0]);
  return dialect.multiply(dialect.activate(gate, activation), up);
}

function halves(dialect: Dialect, product: Value, weight: LinearWeight | undefined): Value[] {
  const width = (weight?.weight.shape[1] ?? 0) / 2;
  return dialect.split(product, [width, width]);
}

/** scale * (W x + bias / scale) = scale * W x + bias */
export function plain({ outputScale, ...weight }: ScaledWeight): LinearWeight {
  const { bias } = weight;
  if (outputScale === undefined || bias === undefined) return weight;
  return { ...weight, bias: bias.map((value) => value / outputScale) };
}

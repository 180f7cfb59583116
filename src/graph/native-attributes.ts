import type { TensorInfo } from '../gguf/tensor-table.ts';
import { tensorTypeByName } from '../gguf/tensor-type.ts';
import type { Attribute } from '../onnx/graph-builder.ts';
import type { Activation, GateLimits } from './activation.ts';
import type { LinearWeight, MixtureInput } from './dialect.ts';

/** Attributes of a native node; `kernels/src/border/io.rs` reads them. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** Where matrices lie: per matrix shard, type, offset in bytes, rows; and the one width of all. */
export function matrixAttributes(tensors: readonly TensorInfo[]): Attributes {
  return {
    weights: {
      ints: tensors.flatMap(({ shard, type, offset, shape }) => [
        shard,
        tensorTypeByName(type).id,
        offset,
        shape.slice(1).reduce((product, size) => product * size, 1),
      ]),
    },
    columns: tensors[0]?.shape[0] ?? 0,
  };
}

/** The matrices of a product, which of them have biases, and what is made of their outputs. */
export function linearAttributes(
  weights: readonly LinearWeight[],
  combine: 'separate' | 'gated',
): Attributes {
  return {
    ...matrixAttributes(weights.map(({ weight }) => weight)),
    biases: { ints: weights.map(({ bias }) => Number(bias !== undefined)) },
    combine,
  };
}

export function activationAttributes(activation: Activation): Attributes {
  if (typeof activation === 'string') return { activation };
  return {
    activation: activation.kind,
    xielu_positive: { float: activation.positive },
    xielu_negative: { float: activation.negative },
    xielu_beta: { float: activation.beta },
    xielu_epsilon: { float: activation.epsilon },
  };
}

export function limitAttributes({ gate, activated, up, upOffset }: GateLimits): Attributes {
  return {
    ...(gate === undefined ? {} : { gate_limit: { float: gate } }),
    ...(activated === undefined ? {} : { activated_limit: { float: activated } }),
    ...(up === undefined ? {} : { up_limit: { float: up } }),
    up_offset: { float: upOffset ?? 0 },
  };
}

/** Everything of a mixture but its inputs; the down matrices have a width of their own. */
export function mixtureAttributes({
  config,
  hidden,
  holdsGate,
  down,
  selectionBias,
}: MixtureInput): Attributes {
  const weights = [...hidden, down];
  const { weights: downWeights = 0, columns: downColumns = 0 } = matrixAttributes([down.weight]);
  return {
    ...matrixAttributes(hidden.map(({ weight }) => weight)),
    down_weights: downWeights,
    down_columns: downColumns,
    biases: { ints: weights.map(({ bias }) => Number(bias !== undefined)) },
    scales: { ints: weights.map(({ scales }) => Number(scales !== undefined)) },
    selection_bias: Number(selectionBias !== undefined),
    holds_gate: Number(holdsGate),
    experts: config.experts,
    used: config.used,
    gate: config.gate,
    ...(config.groups === undefined ? {} : { groups: config.groups.count, used_groups: config.groups.used }),
    normalizes: Number(config.normalizes),
    scale: { float: config.scale },
    weighs_input: Number(config.weighsInput),
    ...activationAttributes(config.activation),
    ...(config.limits === undefined ? {} : limitAttributes(config.limits)),
  };
}

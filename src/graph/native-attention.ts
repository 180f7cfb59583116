import type { Value } from '../onnx/graph-builder.ts';
import type { AttentionInput, LatentAttentionInput } from './dialect.ts';
import type { ModelConfig } from './config.ts';
import type { Temperature } from './layer-config.ts';
import { matrixAttributes } from './native-attributes.ts';
import type { Attributes } from './native-attributes.ts';
import type { RopeConfig } from './rope.ts';

/** A constant input of an attention node: its role, and a name and the values for the graph. */
export interface AttentionConstant {
  readonly role: string;
  readonly name: string;
  readonly values: Float32Array;
}

/** Everything of an attention node but its activations. `ropeName` tells rotations apart that differ. */
export function attentionNode(
  attention: AttentionInput,
  { norm, normEpsilon }: ModelConfig,
  ropeName: (rope: RopeConfig) => string,
): { readonly attributes: Attributes; readonly constants: readonly AttentionConstant[] } {
  const { config, queryNorm, keyNorm, valueNorm, sinks, alibiSlopes, positionBias } = attention;
  const constants: AttentionConstant[] = [];
  const add = (role: string, name: string, values: Float32Array): void => {
    constants.push({ role, name, values });
  };
  if (config.rope !== undefined) add('frequencies', ropeName(config.rope), ropeParts(config.rope));
  for (const [role, weight] of Object.entries({ query: queryNorm, key: keyNorm, value: valueNorm })) {
    if (weight === undefined) continue;
    add(`${role}_norm`, weight.name, weight.weight);
    if (weight.bias !== undefined) add(`${role}_norm_bias`, `${weight.name}.bias`, weight.bias);
  }
  if (sinks !== undefined) add('sinks', sinks.name, sinks.values);
  if (alibiSlopes !== undefined) add('alibi_slopes', `alibi_slopes_${alibiSlopes.length}`, alibiSlopes);
  if (positionBias !== undefined) add('position_bias', positionBias.name, positionBias.values);
  return {
    constants,
    attributes: {
      layer: attention.layer,
      ...(attention.cacheOf === undefined ? {} : { cache_of: attention.cacheOf }),
      heads: config.heads,
      kv_heads: config.kvHeads,
      key_dim: config.headDim,
      value_dim: config.valueDim,
      scale: { float: attention.scale },
      constants: constants.map(({ role }) => role).join(' '),
      norm_kind: norm,
      norm_after_rope: Number(attention.normsAfterRotation ?? false),
      epsilon: { float: normEpsilon },
      ...ropeAttributes(config.rope),
      ...temperatureAttributes(attention.temperature),
      ...(attention.softcap === undefined ? {} : { softcap: { float: attention.softcap } }),
      ...(config.window === undefined ? {} : { window: config.window }),
      ...(attention.bidirectional ? { bidirectional: 1 } : {}),
      ...(config.chunk === undefined ? {} : { chunk: config.chunk }),
    },
  };
}

/** The same for latent attention. */
export function latentNode(
  attention: LatentAttentionInput,
  ropeName: (rope: RopeConfig) => string,
): { readonly attributes: Attributes; readonly constants: readonly AttentionConstant[] } {
  const { config, expansion } = attention;
  const constants =
    config.rope === undefined
      ? []
      : [{ role: 'frequencies', name: ropeName(config.rope), values: ropeParts(config.rope) }];
  // Key and value matrices have widths of their own, so each is a list of one.
  const matrices =
    expansion.kind === 'joint'
      ? matrixAttributes([expansion.weight])
      : {
          ...prefixed('key_', matrixAttributes([expansion.key])),
          ...prefixed('value_', matrixAttributes([expansion.value])),
        };
  return {
    constants,
    attributes: {
      layer: attention.layer,
      heads: config.heads,
      key_dim: config.headDim,
      value_dim: config.valueDim,
      latent_dim: attention.latentConfig.length,
      rotated_dim: attention.latentConfig.rotatedLength,
      scale: { float: attention.scale },
      expansion: expansion.kind,
      constants: constants.map(({ role }) => role).join(' '),
      ...matrices,
      ...ropeAttributes(config.rope),
      ...temperatureAttributes(attention.temperature),
    },
  };
}

/** Inputs after the activations, in the order that the attribute `constants` names. */
export function constantInputs(
  constants: readonly AttentionConstant[],
  vector: (name: string, values: Float32Array) => Value,
): Value[] {
  return constants.map(({ name, values }) => vector(name, values));
}

/** (2, rotated / 2): radians per position as the sum of two f32, so that far positions keep their angle. */
function ropeParts({ frequencies }: RopeConfig): Float32Array {
  const high = Float32Array.from(frequencies);
  return Float32Array.of(...high, ...frequencies.map((frequency, index) => frequency - (high[index] ?? 0)));
}

function ropeAttributes(rope: RopeConfig | undefined): Attributes {
  if (rope === undefined) return {};
  return { pairs: rope.pairs, rotated: rope.dimensions, magnitude: { float: rope.magnitude } };
}

function temperatureAttributes(temperature: Temperature | undefined): Attributes {
  if (temperature === undefined) return {};
  return {
    temperature_scale: { float: temperature.scale },
    temperature_floor: temperature.floorLength,
    temperature_offset: temperature.offset,
  };
}

function prefixed(prefix: string, attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]));
}

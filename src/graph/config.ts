import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { TensorTable } from '../gguf/tensor-table.ts';
import type { Activation, GateLimits } from './activation.ts';
import { architectures } from './architectures.ts';
import type { ArchitectureRow } from './architectures.ts';
import { createRope } from './rope.ts';
import type { RopeConfig } from './rope.ts';

/** One layer of a decoder. */
export interface LayerConfig {
  readonly heads: number;
  readonly kvHeads: number;
  /** Elements per head of queries and keys. */
  readonly headDim: number;
  /** Elements per head of values. */
  readonly valueDim: number;
  /** Absent = this layer does not rotate. */
  readonly rope?: RopeConfig;
  /** A position sees itself and this many minus one before it; absent = all. */
  readonly window?: number;
  /** A position sees itself and those before it in its own chunk of this many; absent = all. */
  readonly chunk?: number;
  readonly activation: Activation;
  /** What the experts do in layers that have them. */
  readonly mixture?: MixtureConfig;
}

/** Queries grow with the position: log(floor((position + offset) / floorLength) + 1) * scale + 1. */
export interface Temperature {
  readonly scale: number;
  readonly floorLength: number;
  readonly offset: number;
}

/** How a mixture chooses among its experts and what they compute. */
export interface MixtureConfig {
  readonly experts: number;
  /** Experts per token. */
  readonly used: number;
  /** From logits to probabilities; `softmax-chosen` runs over the chosen experts' logits only. */
  readonly gate: 'softmax' | 'sigmoid' | 'softmax-chosen';
  /** Only the best groups take part, each scored by the sum of its two best experts; absent = one group. */
  readonly groups?: { readonly count: number; readonly used: number };
  /** The chosen weights are divided by their sum (at least 2 ** -14). */
  readonly normalizes: boolean;
  /** Multiplies the weights. */
  readonly scale: number;
  /** The weights multiply the experts' input instead of their output. */
  readonly weighsInput: boolean;
  readonly activation: Activation;
  readonly limits?: GateLimits;
}

/** Everything the graph needs to know besides the tensors themselves. */
export interface ModelConfig {
  readonly architecture: string;
  readonly layers: readonly LayerConfig[];
  readonly embeddingLength: number;
  readonly vocabularySize: number;
  readonly trainedContextLength: number;
  readonly norm: 'rms' | 'layer';
  readonly normEpsilon: number;
  readonly embeddingScale: number;
  readonly residualScale: number;
  /** Multiplies the logits. */
  readonly logitScale: number;
  /** tanh(x / cap) * cap on attention scores and logits; absent = none. */
  readonly attentionSoftcap?: number;
  readonly logitSoftcap?: number;
  readonly attentionScale: number;
  readonly temperature?: Temperature;
}

/** A crafted layer count must not make the graph explode; the deepest known models have 128. */
const maximumLayers = 1024;

/** Vectors that the configuration itself needs, read before: rotary factors by tensor name. */
export type RopeFactors = ReadonlyMap<string, Float32Array>;

/**
 * Reads the configuration of a decoder.
 * @throws {RivuletError} `ARCHITECTURE_UNSUPPORTED`, `METADATA_MISSING`, `TENSOR_MISSING`, `GGUF_INVALID`
 */
export function readModelConfig(
  metadata: Metadata,
  tensors: TensorTable,
  factors: RopeFactors,
  contextLength?: number,
): ModelConfig {
  const architecture = metadata.architecture;
  const row = requireArchitecture(metadata);
  const key = (suffix: string): string => `${architecture}.${suffix}`;
  const optional = (suffix: string): number | undefined => metadata.optionalNumber(key(suffix));

  if ((optional('expert_count') ?? 0) > 0) {
    throw new RivuletError(
      'ARCHITECTURE_UNSUPPORTED',
      `The file is a mixture-of-experts form of "${architecture}" (${optional('expert_count')} experts); expected a dense model. Choose a dense model of this family.`,
      { details: { architecture } },
    );
  }
  const layerCount = positive(key('block_count'), metadata.number(key('block_count')), maximumLayers);
  const embeddingLength = positive(key('embedding_length'), metadata.number(key('embedding_length')));
  const trainedContextLength = positive(key('context_length'), metadata.number(key('context_length')));
  const perLayer = (suffix: string): readonly number[] | undefined =>
    metadata.optionalPerLayer(key(suffix), layerCount);
  const heads = perLayer('attention.head_count') ?? [];
  const kvHeads = perLayer('attention.head_count_kv') ?? heads;
  const headDim =
    optional('attention.key_length') ??
    embeddingLength /
      positive(key('attention.head_count'), heads[0] ?? metadata.number(key('attention.head_count')));
  const valueDim = optional('attention.value_length') ?? headDim;
  if (valueDim !== headDim || !Number.isInteger(headDim)) {
    throw new RivuletError(
      'GGUF_INVALID',
      `Expected whole heads with keys and values of one length, found ${headDim} and ${valueDim}.`,
      { details: { architecture } },
    );
  }

  const windowed = windowLayers(metadata, row, key, layerCount);
  const ropes = readRopes(metadata, row, key, headDim, {
    contextLength: contextLength ?? trainedContextLength,
    trainedContextLength,
    factors,
  });
  const rotates = !(
    row.finetunedSwitchesRope && metadata.optionalBoolean(key('rope.scaling.finetuned')) === false
  );
  const layers = Array.from({ length: layerCount }, (_, index): LayerConfig => {
    const window = windowed.has(index) ? optional('attention.sliding_window') : undefined;
    const rotated = rotates && (row.unrotatedPeriod === undefined || (index + 1) % row.unrotatedPeriod !== 0);
    return {
      heads: positive(key('attention.head_count'), heads[index] ?? 0),
      kvHeads: positive(key('attention.head_count_kv'), kvHeads[index] ?? 0),
      headDim,
      valueDim: headDim,
      activation: row.activation ?? 'silu',
      ...(rotated ? { rope: window === undefined ? ropes.global : ropes.windowed } : {}),
      ...(window === undefined ? {} : { window }),
    };
  });
  const attentionSoftcap = optional('attn_logit_softcapping');
  const logitSoftcap = optional('final_logit_softcapping');
  const logitScale = optional('logit_scale');
  const temperature = row.temperature ? optional('attention.temperature_scale') : undefined;
  return {
    architecture,
    layers,
    embeddingLength,
    vocabularySize: tensors.require('token_embd.weight').shape[1] ?? 0,
    trainedContextLength,
    norm: row.norm ?? 'rms',
    normEpsilon:
      optional('attention.layer_norm_rms_epsilon') ?? metadata.number(key('attention.layer_norm_epsilon')),
    embeddingScale: optional('embedding_scale') ?? (row.scalesEmbedding ? Math.sqrt(embeddingLength) : 1),
    residualScale: optional('residual_scale') ?? 1,
    logitScale:
      logitScale === undefined || logitScale === 0 ? 1 : row.dividesLogits ? 1 / logitScale : logitScale,
    ...(attentionSoftcap ? { attentionSoftcap } : {}),
    ...(logitSoftcap ? { logitSoftcap } : {}),
    attentionScale:
      optional('attention.scale') ||
      (row.embeddingScaledQueriesAt === layerCount
        ? (embeddingLength / (heads[0] ?? 1)) ** -0.5
        : headDim ** -0.5),
    ...(temperature
      ? {
          temperature: {
            scale: temperature,
            floorLength: optional('rope.scaling.original_context_length') ?? trainedContextLength,
            offset: 0,
          },
        }
      : {}),
  };
}

/** @throws {RivuletError} `ARCHITECTURE_UNSUPPORTED` with the list of known ones. */
export function requireArchitecture(metadata: Metadata): ArchitectureRow {
  const { architecture } = metadata;
  const row = architectures.get(architecture);
  if (row !== undefined) return row;
  const known = [...architectures.keys()];
  throw new RivuletError(
    'ARCHITECTURE_UNSUPPORTED',
    `The file's architecture is "${architecture}"; this version runs ${known.join(', ')}. Choose a model of one of these families, or look for a newer rivulet.`,
    { details: { architecture, known } },
  );
}

function positive(key: string, value: number, maximum = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value > 0 && value <= maximum) return value;
  throw new RivuletError(
    'GGUF_INVALID',
    `Expected the metadata key "${key}" to be a whole number from 1 to ${maximum}, found ${value}. The file is damaged or crafted; download it again.`,
    { details: { key } },
  );
}

/** Which layers see a sliding window: the file's own pattern, else the architecture's period. */
function windowLayers(
  metadata: Metadata,
  row: ArchitectureRow,
  key: (suffix: string) => string,
  layerCount: number,
): ReadonlySet<number> {
  if (row.ignoresWindow || !metadata.optionalNumber(key('attention.sliding_window'))) return new Set();
  const indices = Array.from({ length: layerCount }, (_, index) => index);
  const pattern = metadata.entries.get(key('attention.sliding_window_pattern'));
  if (pattern !== undefined && typeof pattern === 'object') {
    const flags = metadata.numbers(key('attention.sliding_window_pattern'));
    return new Set(indices.filter((index) => flags[index] === 1));
  }
  const period = metadata.optionalNumber(key('attention.sliding_window_pattern')) ?? row.windowPeriod ?? 1;
  return new Set(indices.filter((index) => period <= 1 || index % period < period - 1));
}

interface RopeContext {
  readonly contextLength: number;
  readonly trainedContextLength: number;
  readonly factors: RopeFactors;
}

function readRopes(
  metadata: Metadata,
  row: ArchitectureRow,
  key: (suffix: string) => string,
  headDim: number,
  context: RopeContext,
): { readonly global: RopeConfig; readonly windowed: RopeConfig } {
  const optional = (suffix: string): number | undefined => metadata.optionalNumber(key(suffix));
  const scaling = metadata.optionalString(key('rope.scaling.type')) ?? 'linear';
  const factor = optional('rope.scaling.factor') ?? optional('rope.scale_linear') ?? 0;
  const originalContextLength =
    optional('rope.scaling.original_context_length') ?? context.trainedContextLength;
  const { factors } = context;
  const chosen =
    factors.get('rope_freqs.weight') ??
    factors.get(
      context.contextLength > originalContextLength
        ? 'rope_factors_long.weight'
        : 'rope_factors_short.weight',
    );
  const dimensions = optional('rope.dimension_count') ?? headDim;
  if (!Number.isInteger(dimensions / 2) || dimensions <= 0 || dimensions > headDim) {
    throw new RivuletError(
      'GGUF_INVALID',
      `Expected ${key('rope.dimension_count')} to be even and at most the head length ${headDim}, found ${dimensions}.`,
      { details: { key: key('rope.dimension_count') } },
    );
  }
  if (chosen !== undefined && chosen.length !== dimensions / 2) {
    throw new RivuletError(
      'TENSOR_SHAPE_MISMATCH',
      `Expected ${dimensions / 2} rotary factors, found ${chosen.length}. Metadata and tensors do not belong together; download the file again.`,
      { details: { key: key('rope.dimension_count') } },
    );
  }
  const base = optional('rope.freq_base') ?? 10000;
  const unscaled = { pairs: row.ropePairs, dimensions, positionScale: 1, attentionFactor: 1 };
  const global = createRope({
    ...unscaled,
    base,
    positionScale: scaling === 'none' || factor === 0 ? 1 : 1 / factor,
    attentionFactor: optional('rope.scaling.attn_factor') ?? 1,
    ...(chosen === undefined ? {} : { factors: chosen }),
    ...(scaling === 'yarn'
      ? {
          yarn: {
            originalContextLength,
            betaFast: (row.readsYarnRamp && optional('rope.scaling.yarn_beta_fast')) || 32,
            betaSlow: (row.readsYarnRamp && optional('rope.scaling.yarn_beta_slow')) || 1,
            logMultiplier: optional('rope.scaling.yarn_log_multiplier') ?? 0,
          },
        }
      : {}),
  });
  const windowBase = optional('rope.freq_base_swa') ?? row.windowRopeBase ?? base;
  const windowed = row.windowRopeUnscaled ? createRope({ ...unscaled, base: windowBase }) : global;
  return { global, windowed };
}

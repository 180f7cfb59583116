import { RivuletError } from '../errors.ts';
import type { TensorTable } from '../gguf/tensor-table.ts';
import type { Activation, GateLimits, Xielu } from './activation.ts';
import type { ArchitectureRow } from './architecture-row.ts';
import type { ArchitectureKeys } from './metadata-keys.ts';
import { readMixtureConfig } from './mixture-config.ts';
import type { MixtureConfig } from './mixture-config.ts';
import { readRopes } from './rope-config.ts';
import type { RopeFactors } from './rope-config.ts';
import type { RopeConfig } from './rope.ts';
import { readReaches } from './window-layers.ts';
import type { Reach } from './window-layers.ts';

/** One layer of a decoder. */
export interface LayerConfig {
  /** 0 = the layer has no attention. */
  readonly heads: number;
  /** 0 = what stands for the attention is one matrix. */
  readonly kvHeads: number;
  /** Elements per head of queries and keys. */
  readonly headDim: number;
  /** Elements per head of values. */
  readonly valueDim: number;
  /** Multiplies the scores. */
  readonly scoreScale: number;
  /** Absent = this layer does not rotate. */
  readonly rope?: RopeConfig;
  /** A position sees itself and this many minus one before it; absent = all. */
  readonly window?: number;
  /** A position sees itself and those before it in its own chunk of this many; absent = all. */
  readonly chunk?: number;
  /** (heads,) a score is lowered by its head's slope times the distance in positions. */
  readonly alibiSlopes?: Float32Array;
  readonly temperature?: Temperature;
  /** Query and key norms that have no weights in the file. */
  readonly unweightedHeadNorms?: true;
  readonly normsValues?: true;
  /** The layer attends to what this earlier one cached and has no keys and values of its own. */
  readonly cacheOf?: number;
  /** Keys and values are made from one latent vector per token. */
  readonly latent?: LatentConfig;
  /** false = the layer ends after its attention. */
  readonly feedsForward: boolean;
  readonly activation: Activation;
  readonly limits?: GateLimits;
  /** The feed-forward's gate keeps only what lies this many standard deviations above its mean. */
  readonly gateDeviations?: number;
  /** What the experts do in layers that have them. */
  readonly mixture?: MixtureConfig;
}

/** Queries grow with the position: log(floor((position + offset) / floorLength) + 1) * scale + 1. */
export interface Temperature {
  readonly scale: number;
  readonly floorLength: number;
  readonly offset: number;
}

/** Sizes of multi-head latent attention. */
export interface LatentConfig {
  readonly length: number;
  /** How many elements of a key rotate, the last ones; they are the same for all heads. */
  readonly rotatedLength: number;
  /** The file holds the expansion as one matrix per head on either side of the attention. */
  readonly absorbed: boolean;
}

export interface LayerContext {
  readonly layerCount: number;
  readonly embeddingLength: number;
  readonly contextLength: number;
  readonly trainedContextLength: number;
  readonly tensors: TensorTable;
  readonly factors: RopeFactors;
}

/** @throws {RivuletError} `GGUF_INVALID`, `METADATA_MISSING`, `TENSOR_SHAPE_MISMATCH` */
export function readLayers(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  context: LayerContext,
): readonly LayerConfig[] {
  const { layerCount, tensors } = context;
  const counts = readHeadCounts(keys, layerCount);
  const reaches = readReaches(keys, row, layerCount);
  const dims = readHeadDims(keys, context, counts.heads);
  const ropes = readRopes(keys, row, {
    ...context,
    headDims: { open: dims.open.headDim, windowed: dims.windowed.headDim },
  });
  const slopesOf = alibiSlopes(keys, row, layerCount);
  const rotates = rotatedLayers(keys, row, reaches);
  const scale = readScoreScale(keys, row, context, counts.heads);
  const forward = keys.perLayer('feed_forward_length', layerCount);
  const sharedCache = sharedCaches(keys, row, reaches);
  return Array.from({ length: layerCount }, (_, index): LayerConfig => {
    const heads = counts.heads[index] ?? 0;
    const reach = reaches[index] ?? { kind: 'open' };
    const { headDim, valueDim } = reach.kind === 'open' ? dims.open : dims.windowed;
    const rope = rotates(index) ? (reach.kind === 'open' ? ropes.open : ropes.windowed) : undefined;
    const alibi = slopesOf(heads);
    const latent = readLatent(keys, tensors, index);
    const temperature = readTemperature(keys, row, context, rope !== undefined);
    const unweighted = row.unweightedHeadNorms;
    const kvHeads = latent === undefined ? (counts.kvHeads[index] ?? 0) : latent.absorbed ? 1 : heads;
    return {
      heads,
      kvHeads,
      headDim,
      valueDim,
      scoreScale: scale(headDim, rope?.dimensions) * ropes.scoreFactor,
      ...(rope === undefined || alibi !== undefined ? {} : { rope }),
      ...(reach.kind === 'window' ? { window: reach.length } : {}),
      ...(reach.kind === 'chunk' ? { chunk: reach.length } : {}),
      ...(alibi === undefined ? {} : { alibiSlopes: alibi }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(unweighted !== undefined &&
      rope !== undefined &&
      keys.number('expert_count') !== unweighted.exceptExperts
        ? { unweightedHeadNorms: true }
        : {}),
      ...(row.normsValues ? { normsValues: true } : {}),
      ...sharedCache(index),
      ...(row.gatePeaks !== undefined && index < row.gatePeaks.layers
        ? { gateDeviations: row.gatePeaks.deviations }
        : {}),
      ...(latent === undefined ? {} : { latent }),
      feedsForward: forward?.[index] !== 0,
      ...readFeedForward(keys, row, context, index),
    };
  });
}

interface HeadCounts {
  readonly heads: readonly number[];
  readonly kvHeads: readonly number[];
}

function readHeadCounts(keys: ArchitectureKeys, layerCount: number): HeadCounts {
  const heads = keys.perLayer('attention.head_count', layerCount) ?? [keys.required('attention.head_count')];
  const kvHeads = keys.perLayer('attention.head_count_kv', layerCount) ?? heads;
  for (const [index, count] of heads.entries()) {
    keys.checked('attention.head_count', count, { minimum: 0, maximum: maximumHeads });
    const shared = keys.checked('attention.head_count_kv', kvHeads[index] ?? 0, {
      minimum: 0,
      maximum: maximumHeads,
    });
    if (shared > 0 && count % shared !== 0) {
      throw new RivuletError(
        'GGUF_INVALID',
        `Expected the ${count} heads of layer ${index} to share its ${shared} keys and values evenly. The file is damaged or crafted; download it again.`,
        { details: { key: keys.name('attention.head_count_kv') } },
      );
    }
  }
  return { heads, kvHeads };
}

/** Known models have up to 128; a crafted count must not make products overflow. */
const maximumHeads = 4096;

interface HeadDims {
  readonly headDim: number;
  readonly valueDim: number;
}

/** Head lengths of layers without and with a window. */
function readHeadDims(
  keys: ArchitectureKeys,
  { embeddingLength }: LayerContext,
  heads: readonly number[],
): { readonly open: HeadDims; readonly windowed: HeadDims } {
  const share = embeddingLength / (heads.find((count) => count > 0) ?? 1);
  const read = (suffix: string): HeadDims | undefined => {
    const key = keys.number(`attention.key_length${suffix}`);
    if (key === undefined) return undefined;
    return { headDim: key, valueDim: keys.number(`attention.value_length${suffix}`) ?? key };
  };
  const open = read('_mla') ?? read('') ?? { headDim: share, valueDim: share };
  const windowed = read('_swa') ?? open;
  for (const { headDim, valueDim } of [open, windowed]) {
    keys.checked('attention.key_length', headDim);
    keys.checked('attention.value_length', valueDim);
  }
  return { open, windowed };
}

function readLatent(keys: ArchitectureKeys, tensors: TensorTable, index: number): LatentConfig | undefined {
  if (!tensors.has(`blk.${index}.attn_kv_a_mqa.weight`)) return undefined;
  return {
    length: keys.size('attention.kv_lora_rank'),
    rotatedLength: keys.size('rope.dimension_count'),
    absorbed: tensors.has(`blk.${index}.attn_k_b.weight`),
  };
}

function rotatedLayers(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  reaches: readonly Reach[],
): (index: number) => boolean {
  const everyone =
    row.rotates === undefined ||
    row.rotatesAllAt === reaches.length ||
    reaches.every(({ kind }) => kind === 'open');
  const leading =
    row.rotates === 'windowed-and-leading' ? (keys.number('leading_dense_block_count') ?? 0) : 0;
  const period = row.unrotatedPeriod;
  return (index) =>
    period === undefined
      ? everyone || index < leading || reaches[index]?.kind !== 'open'
      : (index + 1) % period !== 0;
}

/** The last layers may share a cache: that of the last layer before them which sees as much. */
function sharedCaches(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  reaches: readonly Reach[],
): (index: number) => Pick<LayerConfig, 'cacheOf'> {
  const silent = Math.max(0, reaches.length - (row.cachingLayers ?? reaches.length));
  const shared = keys.number('attention.shared_kv_layers') ?? silent;
  const own = keys.checked('attention.shared_kv_layers', reaches.length - shared, {
    maximum: reaches.length,
  });
  return (index) => {
    if (index < own) return {};
    const kinds = reaches.slice(0, own).map(({ kind }) => kind);
    const cacheOf = kinds.lastIndexOf(reaches[index]?.kind ?? 'open');
    return { cacheOf: keys.checked('attention.shared_kv_layers', cacheOf, { minimum: 0 }) };
  };
}

/** Slopes per head as in ggml's `soft_max_ext`: two geometric series, for heads up to and after a power of 2. */
function alibiSlopes(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  layerCount: number,
): (heads: number) => Float32Array | undefined {
  const own = row.alibi !== undefined && (row.alibi.layers ?? layerCount) === layerCount;
  const maximum = own ? row.alibi.maximumBias : (keys.number('attention.max_alibi_bias') ?? 0);
  if (maximum <= 0) return () => undefined;
  return (heads) => {
    const power = 2 ** Math.floor(Math.log2(Math.max(1, heads)));
    return Float32Array.from({ length: heads }, (_, head) =>
      head < power
        ? 2 ** ((-maximum / power) * (head + 1))
        : 2 ** ((-maximum / 2 / power) * (2 * (head - power) + 1)),
    );
  };
}

function readScoreScale(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  { layerCount, embeddingLength }: LayerContext,
  heads: readonly number[],
): (headDim: number, rotated: number | undefined) => number {
  const told =
    keys.number('attention.scale') ||
    (row.scaleDefaults?.scores && (keys.number('attention.output_scale') ?? row.scaleDefaults.scores));
  const rule = row.scoreScale;
  return (headDim, rotated) => {
    if (told) return told;
    if (rule === 'one') return 1;
    if (rule === 'inverse-head') return 1 / headDim;
    if (rule === 'rotated') return (rotated ?? headDim) ** -0.5;
    return rule?.embeddingPerHeadAt === layerCount
      ? (embeddingLength / (heads[0] ?? 1)) ** -0.5
      : headDim ** -0.5;
  };
}

function readTemperature(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  { trainedContextLength }: LayerContext,
  rotated: boolean,
): Temperature | undefined {
  if (row.temperature !== 'told') return rotated ? undefined : row.temperature;
  const scale = keys.number('attention.temperature_scale');
  if (!scale) return undefined;
  const floorLength =
    keys.number('attention.temperature_length') ??
    keys.number('rope.scaling.original_context_length') ??
    trainedContextLength;
  return { scale, floorLength: keys.checked('attention.temperature_length', floorLength), offset: 0 };
}

function readFeedForward(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  { layerCount, tensors }: LayerContext,
  index: number,
): Pick<LayerConfig, 'activation' | 'limits' | 'mixture'> {
  const stack = row.stack === undefined ? '' : `${row.stack}.`;
  const plain = tensors.has(`${stack}blk.${index}.ffn_gate.weight`) ? undefined : row.ungatedActivation;
  const activation = readXielu(keys, layerCount, index) ?? plain ?? row.activation ?? 'silu';
  const limited = (suffix: string): { readonly limits?: GateLimits } => {
    const limit = keys.perLayer(suffix, layerCount)?.[index] ?? 0;
    const limits = limit > smallestLimit ? { activated: limit, up: limit } : row.gateLimits;
    return limits === undefined ? {} : { limits };
  };
  const mixes = tensors.has(`blk.${index}.ffn_gate_inp.weight`);
  return {
    activation,
    ...limited('swiglu_clamp_shexp'),
    ...(mixes
      ? { mixture: readMixtureConfig(keys, row, { activation, ...limited('swiglu_clamp_exp') }) }
      : {}),
  };
}

/** Files say "no limit" by 0. */
const smallestLimit = 1e-6;

function readXielu(keys: ArchitectureKeys, layerCount: number, index: number): Xielu | undefined {
  const [positive, negative, beta, epsilon] = ['alpha_p', 'alpha_n', 'beta', 'eps'].map(
    (part) => keys.plainPerLayer(`xielu.${part}`, layerCount)?.[index],
  );
  if (positive === undefined || negative === undefined) return undefined;
  const softplus = (value: number): number => Math.log1p(Math.exp(value));
  return {
    kind: 'xielu',
    positive: softplus(positive),
    negative: (beta ?? 0) + softplus(negative),
    beta: beta ?? 0,
    epsilon: epsilon ?? 0,
  };
}

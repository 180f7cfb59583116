import { RivuletError } from '../errors.ts';
import type { Metadata } from '../gguf/metadata.ts';
import type { TensorTable } from '../gguf/tensor-table.ts';
import type { Activation } from './activation.ts';
import type { ArchitectureRow } from './architecture-row.ts';
import { architectures } from './architectures.ts';
import { readLayers } from './layer-config.ts';
import type { LayerConfig } from './layer-config.ts';
import { ArchitectureKeys } from './metadata-keys.ts';
import { checkBuckets } from './position-bias.ts';
import type { RopeFactors } from './rope-config.ts';

/** Everything the graph needs to know besides the tensors themselves. */
export interface ModelConfig {
  readonly architecture: string;
  readonly layers: readonly LayerConfig[];
  readonly embeddingLength: number;
  readonly vocabularySize: number;
  readonly trainedContextLength: number;
  readonly norm: 'rms' | 'layer';
  readonly normEpsilon: number;
  /** The norms of the residual stream have no weights. */
  readonly unweightedNorms: boolean;
  readonly embeddingScale: number;
  readonly residualScale: number;
  /** Multiplies the logits. */
  readonly logitScale: number;
  /** tanh(x / cap) * cap on attention scores and logits; absent = none. */
  readonly scoreSoftcap?: number;
  readonly logitSoftcap?: number;
  /** Queries, keys and values stay within ± this; absent = anywhere. */
  readonly projectionLimit?: number;
  /** Multiplies what the attention adds to the stream. */
  readonly attentionOutputScale: number;
  readonly normsAfterRotation: boolean;
  /** Positions see later ones too. */
  readonly bidirectional: boolean;
  /** Before the names of the layers' tensors, in files that hold two models. */
  readonly stack?: 'enc';
  /** Rows of the tables that join scores by distance; absent = no layer has one. */
  readonly relativeBuckets?: number;
  /** Norms come after what a block adds to the stream. */
  readonly normsAfterResidual: boolean;
  /** Function of the gate on the attention's output, where the file has one. */
  readonly attentionGate: Activation;
  /** The feed-forward reads the same stream as the attention, through its own norm. */
  readonly parallelResidual: boolean;
  /** Routers read the layer's input instead of the feed-forward's. */
  readonly routesLayerInput: boolean;
  /** Multiplies the sum of experts and shared expert. */
  readonly sharedExpertScale: number;
}

/** A crafted layer count must not make the graph explode; the deepest known models have 128. */
const maximumLayers = 1024;

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
  const row = requireArchitecture(metadata);
  const keys = new ArchitectureKeys(metadata);
  // Layers that predict further tokens come last and are no part of the decoder.
  const blockCount = keys.size('block_count', maximumLayers);
  const layerCount = keys.checked('block_count', blockCount - (keys.number('nextn_predict_layers') ?? 0));
  const embeddingLength = keys.size('embedding_length');
  const trainedContextLength = keys.size('context_length');
  const rmsEpsilon = keys.number('attention.layer_norm_rms_epsilon');
  const norm = row.norm === 'told' ? (rmsEpsilon ? 'rms' : 'layer') : (row.norm ?? 'rms');
  const scoreSoftcap = keys.number('attn_logit_softcapping') ?? row.scaleDefaults?.scoreSoftcap;
  const logitSoftcap = keys.number('final_logit_softcapping') ?? row.scaleDefaults?.logitSoftcap;
  const buckets = keys.number('attention.relative_buckets_count');
  const projectionLimit = keys.number('attention.clamp_kqv');
  return {
    architecture: keys.architecture,
    layers: readLayers(keys, row, {
      layerCount,
      embeddingLength,
      contextLength: contextLength ?? trainedContextLength,
      trainedContextLength,
      tensors,
      factors,
    }),
    embeddingLength,
    vocabularySize: tensors.require(embeddingName(tensors)).shape[1] ?? 0,
    trainedContextLength,
    norm,
    normEpsilon:
      (norm === 'rms' ? rmsEpsilon : keys.number('attention.layer_norm_epsilon')) ??
      rmsEpsilon ??
      keys.required('attention.layer_norm_epsilon'),
    unweightedNorms: row.unweightedNorms ?? false,
    ...readScales(keys, row, layerCount, embeddingLength),
    ...(scoreSoftcap ? { scoreSoftcap } : {}),
    ...(logitSoftcap ? { logitSoftcap } : {}),
    ...(projectionLimit ? { projectionLimit } : {}),
    attentionOutputScale: keys.number('attention.value_scale') || 1,
    normsAfterRotation: row.normsAfterRotation ?? false,
    bidirectional: onlyEncodes(metadata),
    ...(row.stack === undefined ? {} : { stack: row.stack }),
    ...(buckets
      ? { relativeBuckets: checkBuckets(buckets, keys.name('attention.relative_buckets_count')) }
      : {}),
    normsAfterResidual: row.normsAfterResidual ?? false,
    attentionGate: row.attentionGate ?? 'sigmoid',
    parallelResidual: (row.readsParallelResidual && keys.boolean('use_parallel_residual')) ?? false,
    routesLayerInput: row.routesLayerInput ?? false,
    sharedExpertScale: row.averagesSharedExpert ? 0.5 : 1,
  };
}

/** Files that hold one matrix for both ends have either name. */
export function embeddingName(tensors: Pick<TensorTable, 'has'>): string {
  return !tensors.has('token_embd.weight') && tensors.has('output.weight')
    ? 'output.weight'
    : 'token_embd.weight';
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

/** Whether a file is for vectors of texts alone, by its architecture or by saying that it is not causal. */
export function onlyEncodes(metadata: Metadata): boolean {
  const { architecture } = metadata;
  return (
    architectures.get(architecture)?.encodes ??
    metadata.optionalBoolean(`${architecture}.attention.causal`) === false
  );
}

function readScales(
  keys: ArchitectureKeys,
  row: ArchitectureRow,
  layerCount: number,
  embeddingLength: number,
): Pick<ModelConfig, 'embeddingScale' | 'residualScale' | 'logitScale'> {
  const defaults = row.scaleDefaults;
  const logits = keys.number('logit_scale');
  return {
    embeddingScale:
      keys.number('embedding_scale') ??
      defaults?.embedding ??
      (row.scalesEmbedding ? Math.sqrt(embeddingLength) : 1),
    residualScale:
      keys.number('residual_scale') ??
      (defaults?.depth === undefined ? 1 : defaults.depth / Math.sqrt(layerCount)),
    logitScale: logits
      ? row.dividesLogits
        ? 1 / logits
        : logits
      : defaults?.logitsOverEmbedding === undefined
        ? (defaults?.logits ?? 1)
        : defaults.logitsOverEmbedding / embeddingLength,
  };
}

import type { ModelConfig } from './config.ts';
import type { LayerConfig } from './layer-config.ts';

/** Names of the graph's inputs and outputs, shared with the sessions that run it. */
export const portableNames = {
  /** (nTokens,) i64 */
  tokens: 'tokens',
  /** (nTokens, 1) f32 */
  positions: 'positions',
  /** (nRows,) i64: which tokens' logits are wanted */
  rows: 'rows',
  /** (1,) i32: length after the step minus one */
  lastPosition: 'last_position',
  /** () i32: length after the step */
  totalLength: 'total_length',
  /** (1, kvHeads, capacity, headDim) f32 per layer that caches */
  pastKey: (layer: number): string => `past_key_${layer}`,
  pastValue: (layer: number): string => `past_value_${layer}`,
  /** (nTokens, 2 * Σ kvHeads * headDim) f32: new rows, per layer key then value */
  cacheRows: 'cache_rows',
  /** (nRows, vocabularySize) f32 */
  logits: 'logits',
} as const;

/** The same of graphs that take whole texts and keep nothing; tokens and positions are called as above. */
export const portableTextNames = {
  /** (nTexts, longest) i64: the row of each place's token, any row for padding */
  slots: 'slots',
  /** (nTokens,) i64: the place of each row's token among all places */
  places: 'places',
  /** (nTexts, 1) f32: tokens */
  lengths: 'lengths',
  /** (nVectors, nTokens) f32: the part that each row has in each vector */
  pooling: 'pooling',
  /** (nVectors, width) f32 */
  vectors: 'vectors',
  /** (nVectors, labels) f32, of graphs with a rank head */
  scores: 'scores',
} as const;

/** GroupQueryAttention takes heads of a multiple of 8 elements only. */
export function padHead(headDim: number): number {
  return Math.ceil(headDim / 8) * 8;
}

/** Key and value widths as the portable caches hold them, for layers that cache. */
export function cacheLayers(config: ModelConfig): readonly CacheLayer[] {
  return config.layers.flatMap((layer, index) =>
    layer.heads === 0 || layer.kvHeads === 0 || layer.cacheOf !== undefined
      ? []
      : [{ layer: index, kvHeads: layer.kvHeads, headDim: cachedHeadDim(layer) }],
  );
}

/** Keys and values of one length: the longer one, or a whole latent with its rotated key. */
export function cachedHeadDim({ headDim, valueDim, latent }: LayerConfig): number {
  return padHead(latent?.absorbed ? latent.length + latent.rotatedLength : Math.max(headDim, valueDim));
}

/** Width of one layer's keys, and of its values. */
export interface CacheShape {
  readonly kvHeads: number;
  /** Elements per head. */
  readonly headDim: number;
}

export interface CacheLayer extends CacheShape {
  /** Index of the layer in the model. */
  readonly layer: number;
}

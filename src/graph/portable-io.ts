import type { ModelConfig } from './config.ts';

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
  /** (1, kvHeads, capacity, headDim) f32 per layer */
  pastKey: (layer: number): string => `past_key_${layer}`,
  pastValue: (layer: number): string => `past_value_${layer}`,
  /** (nTokens, 2 * Σ kvHeads * headDim) f32: new rows, per layer key then value */
  cacheRows: 'cache_rows',
  /** (nRows, vocabularySize) f32 */
  logits: 'logits',
} as const;

/** GroupQueryAttention takes heads of a multiple of 8 elements only. */
export function padHead(headDim: number): number {
  return Math.ceil(headDim / 8) * 8;
}

/** Key and value widths as the portable caches hold them. */
export function cacheLayers(config: ModelConfig): readonly CacheLayer[] {
  return config.layers.map(({ kvHeads, headDim }) => ({ kvHeads, headDim: padHead(headDim) }));
}

export interface CacheLayer {
  readonly kvHeads: number;
  /** Elements per head. */
  readonly headDim: number;
}

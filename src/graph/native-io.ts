import type { ModelConfig } from './config.ts';

/** Name of the graph's input; its one output is the logits (nRows, vocabularySize) f32. */
export const nativeNames = {
  /** (nTokens,) i32 */
  tokens: 'tokens',
} as const;

/** Keys and values of one layer, as the addon's cache holds them. */
export interface NativeCacheLayer {
  readonly kvHeads: number;
  /** Elements per head. */
  readonly keyDim: number;
  readonly valueDim: number;
}

export function nativeCacheLayers(config: ModelConfig): readonly NativeCacheLayer[] {
  return config.layers.map(({ heads, kvHeads, headDim, valueDim, latent, cacheOf }) => {
    if (heads === 0 || cacheOf !== undefined) return { kvHeads: 0, keyDim: 0, valueDim: 0 };
    // Absorbed latents are both: a value is the first part of its key.
    if (latent?.absorbed) return { kvHeads: 1, keyDim: latent.length + latent.rotatedLength, valueDim: 0 };
    return { kvHeads, keyDim: headDim, valueDim };
  });
}

/**
 * Where layers put keys and values when nothing is kept from step to step: all of one shape in the same place, as
 * each has read its own before the next one writes.
 */
export function sharedCacheLayers(config: ModelConfig): {
  readonly layers: readonly NativeCacheLayer[];
  /** Per layer of the model. */
  readonly indices: readonly number[];
} {
  const all = nativeCacheLayers(config);
  const own = all.map((_, index) => index);
  // Others read what one of them wrote, later.
  if (config.layers.some(({ cacheOf }) => cacheOf !== undefined)) return { layers: all, indices: own };
  const keys = all.map(({ kvHeads, keyDim, valueDim }) => `${kvHeads} ${keyDim} ${valueDim}`);
  const shapes = [...new Set(keys)];
  return {
    layers: shapes.flatMap((shape) => all[keys.indexOf(shape)] ?? []),
    indices: keys.map((key) => shapes.indexOf(key)),
  };
}

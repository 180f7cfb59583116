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

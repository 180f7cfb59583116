import type { EmbeddingModelV4, EmbeddingModelV4CallOptions, RerankingModelV4 } from '@ai-sdk/provider';
import type {
  EmbeddingModelV3,
  EmbeddingModelV3CallOptions,
  EmbeddingModelV3Result,
  RerankingModelV3,
} from '@ai-sdk/provider-v3';
import { z } from 'zod/v4';

import type { LocalEmbeddingModelOptions as OptionsV4 } from '../local-embedding-model-options.ts';
import { toWarningsV3 } from './to-content-v3.ts';

/** What `providerOptions.local` of an embedding call may hold. */
export type LocalEmbeddingModelOptions = OptionsV4 & {
  /** Length of the vectors, for models that can be cut; `ai` 7 has a setting for it. */
  dimensions?: number | undefined;
};

/** The same model for `ai` 6. */
export function toEmbeddingModelV3(model: EmbeddingModelV4): EmbeddingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: model.provider,
    modelId: model.modelId,
    maxEmbeddingsPerCall: model.maxEmbeddingsPerCall,
    supportsParallelCalls: model.supportsParallelCalls,
    doEmbed: async (options) => {
      const { warnings, ...result } = await model.doEmbed(toCallOptionsV4(options));
      // The same values: version 4 declares JSON read-only, version 3 does not.
      return { ...result, warnings: toWarningsV3(warnings) } as EmbeddingModelV3Result;
    },
  };
}

/** The same model for `ai` 6. */
export function toRerankingModelV3(model: RerankingModelV4): RerankingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: model.provider,
    modelId: model.modelId,
    doRerank: async (options) => {
      const { warnings, ...result } = await model.doRerank(options);
      const converted = warnings === undefined ? {} : { warnings: toWarningsV3(warnings) };
      return { ...result, ...converted } as Awaited<ReturnType<RerankingModelV3['doRerank']>>;
    },
  };
}

function toCallOptionsV4(options: EmbeddingModelV3CallOptions): EmbeddingModelV4CallOptions {
  const { dimensions, ...local } = options.providerOptions?.['local'] ?? {};
  const length = z.int().positive().safeParse(dimensions);
  // Anything else is left for the model to refuse.
  if (!length.success) return options;
  return {
    ...options,
    dimensions: length.data,
    providerOptions: { ...options.providerOptions, local },
  };
}

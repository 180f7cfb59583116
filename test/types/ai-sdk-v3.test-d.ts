import type { EmbeddingModelV3, LanguageModelV3, ProviderV3, RerankingModelV3 } from '@ai-sdk/provider-v3';
import { createProviderRegistry, embed, generateText } from 'ai-v6';
import type { EmbeddingModel, LanguageModel, RerankingModel } from 'ai-v6';
import { expectTypeOf, test } from 'vitest';
import { createLocal, local } from '../../providers/ai-sdk/v3/index.ts';
import type {
  LocalEmbeddingModelOptions,
  LocalLanguageModelOptions,
  LocalProvider,
} from '../../providers/ai-sdk/v3/index.ts';

// Only types are of interest here: nothing of this file runs.

test('the provider is one of version 3, and ai 6 takes its models', () => {
  expectTypeOf<LocalProvider>().toExtend<ProviderV3>();
  expectTypeOf(createLocal).returns.toEqualTypeOf<LocalProvider>();
  expectTypeOf(local('x')).toEqualTypeOf<LanguageModelV3>();
  expectTypeOf(local.embeddingModel('x')).toEqualTypeOf<EmbeddingModelV3>();
  expectTypeOf(local.rerankingModel('x')).toEqualTypeOf<RerankingModelV3>();
  expectTypeOf(local('x')).toExtend<LanguageModel>();
  expectTypeOf(local.embeddingModel('x')).toExtend<EmbeddingModel>();
  expectTypeOf(local.rerankingModel('x')).toExtend<RerankingModel>();
  createProviderRegistry({ local });
});

test('options that ai 6 has no setting for', () => {
  void generateText({
    model: local('x'),
    prompt: 'Hi',
    providerOptions: { local: { reasoning: 'low', minP: 0.1 } satisfies LocalLanguageModelOptions },
  });
  void embed({
    model: local.embeddingModel('x'),
    value: 'a',
    providerOptions: { local: { dimensions: 128 } satisfies LocalEmbeddingModelOptions },
  });
  // @ts-expect-error no such level
  const level = { reasoning: 'a lot' } satisfies LocalLanguageModelOptions;
  // @ts-expect-error no such option
  const misspelt = { reasonings: 'low' } satisfies LocalLanguageModelOptions;
  void [level, misspelt];
});

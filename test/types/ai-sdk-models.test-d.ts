import type { EmbeddingModelV4, LanguageModelV4, ProviderV4, RerankingModelV4 } from '@ai-sdk/provider';
import {
  createProviderRegistry,
  customProvider,
  embed,
  generateText,
  rerank,
  streamText,
  ToolLoopAgent,
  wrapLanguageModel,
} from 'ai';
import type { EmbeddingModel, LanguageModel, RerankingModel } from 'ai';
import type { LanguageModel as OldestLanguageModel } from 'ai-oldest';
import { expectTypeOf, test } from 'vitest';
import { createLocal, local } from '../../providers/ai-sdk/index.ts';
import type {
  LocalEmbeddingModelOptions,
  LocalLanguageModelOptions,
  LocalProvider,
  LocalProviderSettings,
  LocalRerankingModelOptions,
} from '../../providers/ai-sdk/index.ts';

// Only types are of interest here: nothing of this file runs.

test('the provider is one of the specification, and its models are', () => {
  expectTypeOf<LocalProvider>().toExtend<ProviderV4>();
  expectTypeOf(createLocal).parameter(0).toEqualTypeOf<LocalProviderSettings | undefined>();
  expectTypeOf(local.languageModel('x')).toEqualTypeOf<LanguageModelV4>();
  expectTypeOf(local.chat('x')).toEqualTypeOf<LanguageModelV4>();
  expectTypeOf(local.embeddingModel('x')).toEqualTypeOf<EmbeddingModelV4>();
  expectTypeOf(local.embedding('x')).toEqualTypeOf<EmbeddingModelV4>();
  expectTypeOf(local.rerankingModel('x')).toEqualTypeOf<RerankingModelV4>();
  expectTypeOf(local.reranking('x')).toEqualTypeOf<RerankingModelV4>();
});

test('ai takes them', () => {
  expectTypeOf(local('x')).toExtend<LanguageModel>();
  expectTypeOf(local.embeddingModel('x')).toExtend<EmbeddingModel>();
  expectTypeOf(local.rerankingModel('x')).toExtend<RerankingModel>();
  createProviderRegistry({ local });
  customProvider({ languageModels: { small: local('x') }, fallbackProvider: local });
  wrapLanguageModel({ model: local('x'), middleware: {} });
  expectTypeOf(new ToolLoopAgent({ model: local('x') })).not.toBeAny();
});

test('an older ai 7 takes the language model, too', () => {
  type Model = Exclude<OldestLanguageModel, string>;
  expectTypeOf(local('x').specificationVersion).toExtend<Model['specificationVersion']>();
  expectTypeOf(local('x').doStream).toBeCallableWith({ prompt: [] });
});

test('options of a call', () => {
  const options = {
    minP: 0.1,
    typicalP: 0.9,
    repeatPenalty: 1.1,
    repeatLastN: 64,
    ignoreEos: false,
    logitBias: { 12: -1, 13: false },
    samplers: ['top-k', 'temperature'],
    logprobs: 3,
    maxToolCalls: 2,
    grammar: { regex: '[0-9]+' },
    closeGrammar: true,
    templateVariables: { style: 'brief', depth: [1, null] },
  } satisfies LocalLanguageModelOptions;
  void streamText({ model: local('x'), prompt: 'Hi', providerOptions: { local: options } });
  void generateText({
    model: local('x'),
    prompt: 'Hi',
    providerOptions: { local: { minP: 0.1 } satisfies LocalLanguageModelOptions },
  });

  // @ts-expect-error no such option
  const misspelt = { minp: 0.1 } satisfies LocalLanguageModelOptions;
  // @ts-expect-error what the SDK has a setting for is none of ours
  const standard = { temperature: 0 } satisfies LocalLanguageModelOptions;
  // @ts-expect-error one grammar of one kind
  const grammar = { grammar: { lark: 'x' } } satisfies LocalLanguageModelOptions;
  // @ts-expect-error no such sampler
  const sampler = { samplers: ['mirostat'] } satisfies LocalLanguageModelOptions;
  // @ts-expect-error a bias is a number, or false
  const bias = { logitBias: { 12: true } } satisfies LocalLanguageModelOptions;
  void [misspelt, standard, grammar, sampler, bias];
});

test('options of embeddings and rankings', () => {
  void embed({
    model: local.embeddingModel('x'),
    value: 'a',
    providerOptions: {
      local: {
        kind: 'query',
        pooling: 'mean',
        normalize: true,
        truncate: true,
      } satisfies LocalEmbeddingModelOptions,
    },
  });
  void rerank({
    model: local.rerankingModel('x'),
    query: 'a',
    documents: ['b'],
    providerOptions: {
      local: { instruction: 'Find it.', truncate: true } satisfies LocalRerankingModelOptions,
    },
  });
  // @ts-expect-error no such pooling
  const pooling = { pooling: 'max' } satisfies LocalEmbeddingModelOptions;
  // @ts-expect-error that is an option of embeddings
  const kind = { kind: 'query' } satisfies LocalRerankingModelOptions;
  void [pooling, kind];
});

test('wrong settings are errors', () => {
  // @ts-expect-error tokens, not text
  createLocal({ contextLength: '4k' });
  // @ts-expect-error no such device
  createLocal({ device: 'tpu' });
  // @ts-expect-error a model is a reference or a loaded model
  local({ path: 'x.gguf' });
  // @ts-expect-error settings of a model are checked, too
  local('x.gguf', { temperature: 1 });
});

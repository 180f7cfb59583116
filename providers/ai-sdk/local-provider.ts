import { NoSuchModelError } from '@ai-sdk/provider';
import type { EmbeddingModelV4, LanguageModelV4, ProviderV4, RerankingModelV4 } from '@ai-sdk/provider';
import { sharedModel } from '#rivulet';
import type { FetchOptions, SharedLoadOptions } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { LocalLanguageModel } from './local-language-model.ts';
import { LocalRerankingModel } from './local-reranking-model.ts';
import type { ModelHandleConfig } from './model-handle.ts';

/** How the models of a provider are loaded. */
export interface LocalProviderSettings extends Omit<SharedLoadOptions & FetchOptions, 'signal'> {}

/** Makes models from references; nothing is loaded before the first request. */
export interface LocalProvider extends ProviderV4 {
  /**
   * @param model A reference (path, `hf:…`, alias, …) or a loaded model.
   * @param settings Override the provider's for this model.
   */
  (model: string | Model, settings?: LocalProviderSettings): LanguageModelV4;
  languageModel(model: string | Model, settings?: LocalProviderSettings): LanguageModelV4;
  /** The same as {@link LocalProvider.languageModel}. */
  chat(model: string | Model, settings?: LocalProviderSettings): LanguageModelV4;
  /** Vectors of texts, for `embed` and `embedMany`. */
  embeddingModel(model: string | Model, settings?: LocalProviderSettings): EmbeddingModelV4;
  /** The same as {@link LocalProvider.embeddingModel}. */
  embedding(model: string | Model, settings?: LocalProviderSettings): EmbeddingModelV4;
  /** Documents by how well they answer a query, for `rerank`. */
  rerankingModel(model: string | Model, settings?: LocalProviderSettings): RerankingModelV4;
  /** The same as {@link LocalProvider.rerankingModel}. */
  reranking(model: string | Model, settings?: LocalProviderSettings): RerankingModelV4;
  /**
   * Loads a model ahead of its first request; later requests with the same settings share it.
   *
   * @throws {RivuletError} as `loadModel`
   */
  load(model: string, options?: LocalProviderSettings & { readonly signal?: AbortSignal }): Promise<Model>;
}

/** A provider whose models are loaded with the given settings. */
export function createLocal(providerSettings: LocalProviderSettings = {}): LocalProvider {
  const maker =
    <T>(Class: new (modelId: string, config: ModelHandleConfig) => T, kind: string) =>
    (model: string | Model, settings?: LocalProviderSettings): T => {
      const merged = { ...providerSettings, ...settings, provider: `local.${kind}` };
      return typeof model === 'string'
        ? new Class(model, merged)
        : new Class(model.info.id, { ...merged, model });
    };
  const createLanguageModel = maker(LocalLanguageModel, 'chat');
  const createEmbeddingModel = maker(LocalEmbeddingModel, 'embedding');
  const createRerankingModel = maker(LocalRerankingModel, 'reranking');

  const provider = function (model: string | Model, settings?: LocalProviderSettings): LanguageModelV4 {
    if (new.target !== undefined) throw new Error('Call local(…) without the new keyword.');
    return createLanguageModel(model, settings);
  };

  return Object.assign(provider, {
    specificationVersion: 'v4' as const,
    languageModel: createLanguageModel,
    chat: createLanguageModel,
    embeddingModel: createEmbeddingModel,
    embedding: createEmbeddingModel,
    rerankingModel: createRerankingModel,
    reranking: createRerankingModel,
    imageModel: (modelId: string): never => {
      throw new NoSuchModelError({ modelId, modelType: 'imageModel' });
    },
    load: (
      model: string,
      options: LocalProviderSettings & { readonly signal?: AbortSignal } = {},
    ): Promise<Model> => {
      const { signal, ...settings } = options;
      return sharedModel(model, { ...providerSettings, ...settings }).acquire(signal);
    },
  });
}

/** The provider with default settings: `streamText({ model: local('model.gguf'), … })`. */
export const local: LocalProvider = createLocal();

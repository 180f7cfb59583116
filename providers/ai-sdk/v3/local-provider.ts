import type { EmbeddingModelV3, LanguageModelV3, ProviderV3, RerankingModelV3 } from '@ai-sdk/provider-v3';
import type { Model } from '../../../src/model.ts';
import { createLocal as createLocalV4 } from '../local-provider.ts';
import type { LocalProviderSettings, LocalProvider as LocalProviderV4 } from '../local-provider.ts';
import { toLanguageModelV3 } from './to-language-model-v3.ts';
import { toEmbeddingModelV3, toRerankingModelV3 } from './to-vector-models-v3.ts';

/** The provider for `ai` 6; everything is as in `rivulet/ai-sdk`, and engines are shared with it. */
export interface LocalProvider extends ProviderV3 {
  /**
   * @param model A reference (path, `hf:…`, alias, …) or a loaded model.
   * @param settings Override the provider's for this model.
   */
  (model: string | Model, settings?: LocalProviderSettings): LanguageModelV3;
  languageModel(model: string | Model, settings?: LocalProviderSettings): LanguageModelV3;
  /** The same as {@link LocalProvider.languageModel}. */
  chat(model: string | Model, settings?: LocalProviderSettings): LanguageModelV3;
  /** Vectors of texts, for `embed` and `embedMany`. */
  embeddingModel(model: string | Model, settings?: LocalProviderSettings): EmbeddingModelV3;
  /** The same as {@link LocalProvider.embeddingModel}. */
  embedding(model: string | Model, settings?: LocalProviderSettings): EmbeddingModelV3;
  /** Documents by how well they answer a query, for `rerank`. */
  rerankingModel(model: string | Model, settings?: LocalProviderSettings): RerankingModelV3;
  /** The same as {@link LocalProvider.rerankingModel}. */
  reranking(model: string | Model, settings?: LocalProviderSettings): RerankingModelV3;
  /** Loads a model ahead of its first request. @throws {RivuletError} as `loadModel` */
  load: LocalProviderV4['load'];
  /** Tells from the file's header whether a model can be loaded. */
  check: LocalProviderV4['check'];
  /** Gives the memory of a model, or of all, back when its streams have ended. */
  unload: LocalProviderV4['unload'];
  /** The engines of this process as plain data. */
  list: LocalProviderV4['list'];
}

/** A provider whose models are loaded with the given settings. */
export function createLocal(providerSettings: LocalProviderSettings = {}): LocalProvider {
  const base = createLocalV4(providerSettings);
  const languageModel = (model: string | Model, settings?: LocalProviderSettings): LanguageModelV3 =>
    toLanguageModelV3(base.languageModel(model, settings));
  const embeddingModel = (model: string | Model, settings?: LocalProviderSettings): EmbeddingModelV3 =>
    toEmbeddingModelV3(base.embeddingModel(model, settings));
  const rerankingModel = (model: string | Model, settings?: LocalProviderSettings): RerankingModelV3 =>
    toRerankingModelV3(base.rerankingModel(model, settings));

  const provider = function (model: string | Model, settings?: LocalProviderSettings): LanguageModelV3 {
    if (new.target !== undefined) throw new Error('Call local(…) without the new keyword.');
    return languageModel(model, settings);
  };

  return Object.assign(provider, {
    specificationVersion: 'v3' as const,
    languageModel,
    chat: languageModel,
    embeddingModel,
    embedding: embeddingModel,
    rerankingModel,
    reranking: rerankingModel,
    imageModel: (modelId: string): never => base.imageModel(modelId) as never,
    load: base.load,
    check: base.check,
    unload: base.unload,
    list: base.list,
  });
}

/** The provider with default settings: `streamText({ model: local('model.gguf'), … })`. */
export const local: LocalProvider = createLocal();

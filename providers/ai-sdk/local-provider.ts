import { InvalidArgumentError, NoSuchModelError } from '@ai-sdk/provider';
import type { EmbeddingModelV4, LanguageModelV4, ProviderV4, RerankingModelV4 } from '@ai-sdk/provider';
import { checkModel, listEngines, sharedModel, unloadEngines } from '#rivulet';
import type { EngineStatus, ModelCheck } from '#rivulet';
import type { Model } from '../../src/model.ts';
import { defined } from '../defined.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { LocalLanguageModel } from './local-language-model.ts';
import { readSettings, toLoadOptions } from './local-provider-settings.ts';
import type { LocalProviderSettings } from './local-provider-settings.ts';
import { LocalRerankingModel } from './local-reranking-model.ts';
import type { ModelHandleConfig } from './model-handle.ts';

export type { LocalProviderSettings } from './local-provider-settings.ts';

/** Makes models from references; nothing is loaded before the first request. */
export interface LocalProvider extends ProviderV4 {
  /**
   * @param model A reference (path, `hf:…`, alias, …) or a loaded model.
   * @param settings Override the provider's for this model.
   */
  (model: string | Model, settings?: LocalProviderSettings): LanguageModelV4;
  /** Text, reasoning and tool calls, for `generateText`, `streamText` and agents. */
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
   * Loads a model ahead of its first request; later requests with the same settings share it. `onProgress` hears how far
   * it is, also when somebody else's call began the load; an abort ends only this wait.
   *
   * @throws {RivuletError} as `loadModel`; the signal's reason on abort
   */
  load(model: string, options?: LocalLoadOptions): Promise<Model>;
  /**
   * Tells from the file's header whether a model can be loaded with these settings: architecture, tensors, context and
   * memory. Nothing is loaded; a model that is not on this machine yet is fetched.
   *
   * @throws {RivuletError} when there is no model to judge; the signal's reason on abort
   */
  check(model: string, options?: LocalLoadOptions): Promise<ModelCheck>;
  /**
   * Gives the memory of a model back, under all settings it was loaded with, whichever provider or copy of the package
   * loaded it; without a reference that of all models. It resolves when that is done: streams that run end first (those
   * that nobody reads for 30 seconds do not count), loads under way are given up, new requests load again. Models that
   * the caller loaded by `loadModel` are the caller's.
   */
  unload(model?: string): Promise<void>;
  /** The engines of this process as plain data, whichever provider or copy of the package loaded them. */
  list(): EngineStatus[];
}

/** Settings of one load. */
export interface LocalLoadOptions extends LocalProviderSettings {
  /** Ends the wait; the load goes on for others and for later requests, `unload` ends it. @default none */
  readonly signal?: AbortSignal;
}

/** A provider whose models are loaded with the given settings. @throws {InvalidArgumentError} for wrong settings */
export function createLocal(providerSettings: LocalProviderSettings = {}): LocalProvider {
  const shared = readSettings(providerSettings);
  const maker =
    <T>(Class: new (modelId: string, config: ModelHandleConfig) => T, kind: string) =>
    (model: string | Model, settings?: LocalProviderSettings): T => {
      const merged = { ...shared, ...readSettings(settings ?? {}), provider: `local.${kind}` };
      if (typeof model === 'string') return new Class(model, merged);
      if (typeof model?.info?.id === 'string') return new Class(model.info.id, { ...merged, model });
      throw new InvalidArgumentError({
        argument: 'model',
        message: `Expected a model reference such as 'model.gguf' or a loaded model, found ${String(model)}.`,
      });
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
    load: async (model: string, { signal, ...settings }: LocalLoadOptions = {}): Promise<Model> =>
      sharedModel(model, toLoadOptions({ ...shared, ...readSettings(settings) })).acquire(signal),
    check: async (model: string, { signal, ...settings }: LocalLoadOptions = {}): Promise<ModelCheck> =>
      checkModel(model, {
        ...toLoadOptions({ ...shared, ...readSettings(settings) }),
        ...defined({ signal }),
      }),
    unload: unloadEngines,
    list: listEngines,
  });
}

/** The provider with default settings: `streamText({ model: local('model.gguf'), … })`. */
export const local: LocalProvider = createLocal();

import type { EmbeddingModelV4, EmbeddingModelV4CallOptions, EmbeddingModelV4Result } from '@ai-sdk/provider';
import { serializeModelOptions, WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { sharedModel } from '#rivulet';
import type { SharedModel } from '#rivulet';
import { convertWarnings } from './convert-warnings.ts';
import { engineMetadata } from './create-metadata.ts';
import { defined } from '../defined.ts';
import { parseEmbeddingOptions } from './local-embedding-model-options.ts';
import type { LocalLanguageModelConfig } from './local-language-model.ts';
import { mapError } from './map-error.ts';

/** A cheap handle on a model for vectors of texts: the first call loads it, and equal handles share one engine. */
class LocalEmbeddingModel implements EmbeddingModelV4 {
  readonly specificationVersion = 'v4';
  /** The engine makes batches itself. */
  readonly maxEmbeddingsPerCall: number = Number.POSITIVE_INFINITY;
  readonly supportsParallelCalls = true;
  readonly modelId: string;
  readonly #config: LocalLanguageModelConfig;
  readonly #shared: SharedModel;

  static [WORKFLOW_SERIALIZE](model: LocalEmbeddingModel): ReturnType<typeof serializeModelOptions> {
    return serializeModelOptions({ modelId: model.modelId, config: model.#config });
  }

  static [WORKFLOW_DESERIALIZE](options: {
    modelId: string;
    config: LocalLanguageModelConfig;
  }): LocalEmbeddingModel {
    return new LocalEmbeddingModel(options.modelId, options.config);
  }

  constructor(modelId: string, config: LocalLanguageModelConfig) {
    this.modelId = modelId;
    this.#config = config;
    const { provider: _provider, model, headers: _headers, ...loadOptions } = config;
    this.#shared = sharedModel(model ?? modelId, loadOptions);
  }

  get provider(): string {
    return this.#config.provider;
  }

  async doEmbed(options: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const { values, dimensions, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const localOptions = await parseEmbeddingOptions(options.providerOptions);
    try {
      const model = await this.#shared.acquire(abortSignal);
      const { embeddings, usage, warnings } = await model.embed({
        values,
        ...defined({ ...localOptions, dimensions, signal: abortSignal }),
      });
      return {
        embeddings: embeddings.map((embedding) => Array.from(embedding)),
        usage,
        providerMetadata: engineMetadata(model.info),
        warnings: convertWarnings(warnings),
      };
    } catch (error) {
      throw abortSignal?.aborted === true ? error : mapError(error, this.modelId, 'embeddingModel');
    }
  }
}

/** The class as others see it: a declaration file cannot infer the names of its two static methods. */
interface LocalEmbeddingModelClass {
  new (modelId: string, config: LocalLanguageModelConfig): EmbeddingModelV4;
  [WORKFLOW_SERIALIZE](model: EmbeddingModelV4): ReturnType<typeof serializeModelOptions>;
  [WORKFLOW_DESERIALIZE](options: { modelId: string; config: LocalLanguageModelConfig }): EmbeddingModelV4;
}

const exportedClass: LocalEmbeddingModelClass = LocalEmbeddingModel;
export { exportedClass as LocalEmbeddingModel };

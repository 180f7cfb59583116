import type { EmbeddingModelV4, EmbeddingModelV4CallOptions, EmbeddingModelV4Result } from '@ai-sdk/provider';
import { type serializeModelOptions, WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { convertWarnings } from './convert-warnings.ts';
import { engineMetadata } from './create-metadata.ts';
import { defined } from '../defined.ts';
import { parseEmbeddingOptions } from './local-embedding-model-options.ts';
import { mapError } from './map-error.ts';
import { ModelHandle } from './model-handle.ts';
import type { ModelHandleConfig } from './model-handle.ts';

/** A cheap handle on a model for vectors of texts: the first call loads it, and equal handles share one engine. */
class LocalEmbeddingModel extends ModelHandle implements EmbeddingModelV4 {
  readonly specificationVersion = 'v4';
  /** The engine makes batches itself. */
  readonly maxEmbeddingsPerCall: number = Number.POSITIVE_INFINITY;
  readonly supportsParallelCalls = true;

  static [WORKFLOW_SERIALIZE](model: LocalEmbeddingModel): ReturnType<typeof serializeModelOptions> {
    return ModelHandle.serialize(model);
  }

  static [WORKFLOW_DESERIALIZE](options: {
    modelId: string;
    config: ModelHandleConfig;
  }): LocalEmbeddingModel {
    return new LocalEmbeddingModel(options.modelId, options.config);
  }

  async doEmbed(options: EmbeddingModelV4CallOptions): Promise<EmbeddingModelV4Result> {
    const { values, dimensions, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const localOptions = await parseEmbeddingOptions(options.providerOptions);
    try {
      const model = await this.acquire(abortSignal);
      const { embeddings, usage, warnings } = await model.embed({
        values,
        ...defined({
          ...localOptions,
          dimensions: dimensions ?? localOptions.dimensions,
          signal: abortSignal,
        }),
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
  new (modelId: string, config: ModelHandleConfig): EmbeddingModelV4;
  [WORKFLOW_SERIALIZE](model: EmbeddingModelV4): ReturnType<typeof serializeModelOptions>;
  [WORKFLOW_DESERIALIZE](options: { modelId: string; config: ModelHandleConfig }): EmbeddingModelV4;
}

const exportedClass: LocalEmbeddingModelClass = LocalEmbeddingModel;
export { exportedClass as LocalEmbeddingModel };

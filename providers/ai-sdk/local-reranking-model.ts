import type { JSONObject, RerankingModelV4 } from '@ai-sdk/provider';
import { type serializeModelOptions, WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { convertWarnings } from './convert-warnings.ts';
import { engineMetadata } from './create-metadata.ts';
import { defined } from '../defined.ts';
import { parseRerankingOptions } from './local-reranking-model-options.ts';
import { mapError } from './map-error.ts';
import { ModelHandle } from './model-handle.ts';
import type { ModelHandleConfig } from './model-handle.ts';

type CallOptions = Parameters<RerankingModelV4['doRerank']>[0];
type Result = Awaited<ReturnType<RerankingModelV4['doRerank']>>;

/** A cheap handle on a reranker: the first call loads it, and equal handles share one engine. */
class LocalRerankingModel extends ModelHandle implements RerankingModelV4 {
  readonly specificationVersion = 'v4';

  static [WORKFLOW_SERIALIZE](model: LocalRerankingModel): ReturnType<typeof serializeModelOptions> {
    return ModelHandle.serialize(model);
  }

  static [WORKFLOW_DESERIALIZE](options: {
    modelId: string;
    config: ModelHandleConfig;
  }): LocalRerankingModel {
    return new LocalRerankingModel(options.modelId, options.config);
  }

  async doRerank(options: CallOptions): Promise<Result> {
    const { query, topN, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const localOptions = await parseRerankingOptions(options.providerOptions);
    try {
      const model = await this.acquire(abortSignal);
      const { ranking, warnings } = await model.rerank({
        query,
        documents: textsOf(options.documents),
        ...defined({ ...localOptions, topN, signal: abortSignal }),
      });
      return {
        ranking: ranking.map(({ index, score }) => ({ index, relevanceScore: score })),
        providerMetadata: engineMetadata(model.info),
        warnings: convertWarnings(warnings),
        response: { timestamp: new Date(), modelId: this.modelId },
      };
    } catch (error) {
      throw abortSignal?.aborted === true ? error : mapError(error, this.modelId, 'rerankingModel');
    }
  }
}

/** Models read text: an object is its JSON. */
function textsOf(documents: CallOptions['documents']): string[] {
  return documents.type === 'text'
    ? documents.values
    : documents.values.map((value: JSONObject) => JSON.stringify(value));
}

/** The class as others see it: a declaration file cannot infer the names of its two static methods. */
interface LocalRerankingModelClass {
  new (modelId: string, config: ModelHandleConfig): RerankingModelV4;
  [WORKFLOW_SERIALIZE](model: RerankingModelV4): ReturnType<typeof serializeModelOptions>;
  [WORKFLOW_DESERIALIZE](options: { modelId: string; config: ModelHandleConfig }): RerankingModelV4;
}

const exportedClass: LocalRerankingModelClass = LocalRerankingModel;
export { exportedClass as LocalRerankingModel };

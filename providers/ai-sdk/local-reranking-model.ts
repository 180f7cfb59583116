import type { JSONObject, RerankingModelV4 } from '@ai-sdk/provider';
import { serializeModelOptions, WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { sharedModel } from '#rivulet';
import type { SharedModel } from '#rivulet';
import { convertWarnings } from './convert-warnings.ts';
import { engineMetadata } from './create-metadata.ts';
import { defined } from '../defined.ts';
import { parseRerankingOptions } from './local-embedding-model-options.ts';
import type { LocalLanguageModelConfig } from './local-language-model.ts';
import { mapError } from './map-error.ts';

type CallOptions = Parameters<RerankingModelV4['doRerank']>[0];
type Result = Awaited<ReturnType<RerankingModelV4['doRerank']>>;

/** A cheap handle on a reranker: the first call loads it, and equal handles share one engine. */
class LocalRerankingModel implements RerankingModelV4 {
  readonly specificationVersion = 'v4';
  readonly modelId: string;
  readonly #config: LocalLanguageModelConfig;
  readonly #shared: SharedModel;

  static [WORKFLOW_SERIALIZE](model: LocalRerankingModel): ReturnType<typeof serializeModelOptions> {
    return serializeModelOptions({ modelId: model.modelId, config: model.#config });
  }

  static [WORKFLOW_DESERIALIZE](options: {
    modelId: string;
    config: LocalLanguageModelConfig;
  }): LocalRerankingModel {
    return new LocalRerankingModel(options.modelId, options.config);
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

  async doRerank(options: CallOptions): Promise<Result> {
    const { query, topN, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const localOptions = await parseRerankingOptions(options.providerOptions);
    try {
      const model = await this.#shared.acquire(abortSignal);
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
  new (modelId: string, config: LocalLanguageModelConfig): RerankingModelV4;
  [WORKFLOW_SERIALIZE](model: RerankingModelV4): ReturnType<typeof serializeModelOptions>;
  [WORKFLOW_DESERIALIZE](options: { modelId: string; config: LocalLanguageModelConfig }): RerankingModelV4;
}

const exportedClass: LocalRerankingModelClass = LocalRerankingModel;
export { exportedClass as LocalRerankingModel };

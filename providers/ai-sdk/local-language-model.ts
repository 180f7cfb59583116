import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  SharedV4Warning,
} from '@ai-sdk/provider';
import {
  convertAsyncIteratorToReadableStream,
  type serializeModelOptions,
  WORKFLOW_DESERIALIZE,
  WORKFLOW_SERIALIZE,
} from '@ai-sdk/provider-utils';
import type { ChatRequest, Model, ModelInfo } from '../../src/model.ts';
import { mapError } from './map-error.ts';
import { ModelHandle } from './model-handle.ts';
import type { ModelHandleConfig } from './model-handle.ts';
import { prepareRequest } from './prepare-request.ts';
import { toGenerateResult } from './to-generate-result.ts';
import { toStreamParts } from './to-stream-parts.ts';

/** A cheap handle on a model: the first request loads it, and equal handles share one engine. */
class LocalLanguageModel extends ModelHandle implements LanguageModelV4 {
  readonly specificationVersion = 'v4';
  readonly supportedUrls: Record<string, RegExp[]> = {};

  static [WORKFLOW_SERIALIZE](model: LocalLanguageModel): ReturnType<typeof serializeModelOptions> {
    return ModelHandle.serialize(model);
  }

  static [WORKFLOW_DESERIALIZE](options: { modelId: string; config: ModelHandleConfig }): LocalLanguageModel {
    return new LocalLanguageModel(options.modelId, options.config);
  }

  async doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const { model, request, warnings } = await this.#prepare(options);
    try {
      const events = model.chat(withSignal(request, options.abortSignal));
      const result = await toGenerateResult(events, { info: model.info, warnings });
      return { ...result, request: { body: requestBody(model.info, request) } };
    } catch (error) {
      throw options.abortSignal?.aborted === true ? error : mapError(error, this.modelId);
    }
  }

  async doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    const { model, request, warnings } = await this.#prepare(options);
    // Cancelling the stream must also end a prefill under way, which the iterator's `return` would wait for.
    const cancellation = new AbortController();
    const signal =
      options.abortSignal === undefined
        ? cancellation.signal
        : AbortSignal.any([options.abortSignal, cancellation.signal]);
    const parts = toStreamParts(model.chat(withSignal(request, signal)), {
      info: model.info,
      warnings,
      includeRawChunks: options.includeRawChunks === true,
      signal,
    });
    const iterator: AsyncIterator<LanguageModelV4StreamPart, void, undefined> = {
      next: () => parts.next(),
      return: () => {
        cancellation.abort();
        return parts.return();
      },
    };
    return {
      stream: convertAsyncIteratorToReadableStream(iterator),
      request: { body: requestBody(model.info, request) },
    };
  }

  /** Everything that can be found wrong without a model comes before the load. */
  async #prepare(
    options: LanguageModelV4CallOptions,
  ): Promise<{ model: Model; request: ChatRequest; warnings: SharedV4Warning[] }> {
    options.abortSignal?.throwIfAborted();
    const { request, warnings } = await prepareRequest(options);
    const model = await this.#load(options.abortSignal);
    const asksForReasoning = request.reasoning !== undefined && request.reasoning !== 'off';
    const ignored: SharedV4Warning[] =
      asksForReasoning && !model.info.capabilities.reasoning
        ? [{ type: 'unsupported', feature: 'reasoning', details: 'This model writes no reasoning.' }]
        : [];
    return { model, request, warnings: [...warnings, ...ignored] };
  }

  async #load(signal: AbortSignal | undefined): Promise<Model> {
    try {
      return await this.acquire(signal);
    } catch (error) {
      throw signal?.aborted === true ? error : mapError(error, this.modelId);
    }
  }
}

/** The class as others see it: a declaration file cannot infer the names of its two static methods. */
interface LocalLanguageModelClass {
  new (modelId: string, config: ModelHandleConfig): LanguageModelV4;
  [WORKFLOW_SERIALIZE](model: LanguageModelV4): ReturnType<typeof serializeModelOptions>;
  [WORKFLOW_DESERIALIZE](options: { modelId: string; config: ModelHandleConfig }): LanguageModelV4;
}

const exportedClass: LocalLanguageModelClass = LocalLanguageModel;
export { exportedClass as LocalLanguageModel };

function withSignal(request: ChatRequest, signal: AbortSignal | undefined): ChatRequest {
  return signal === undefined ? request : { ...request, signal };
}

/** What was asked for, as JSON. */
function requestBody(info: ModelInfo, request: ChatRequest): unknown {
  const { logitBias, ...rest } = request;
  return {
    model: info.id,
    ...rest,
    ...(logitBias === undefined ? {} : { logitBias: Object.fromEntries(logitBias) }),
  };
}

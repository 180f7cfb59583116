import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseLLM } from '@langchain/core/language_models/llms';
import type { BaseLLMCallOptions, BaseLLMParams } from '@langchain/core/language_models/llms';
import type { MessageContent } from '@langchain/core/messages';
import { GenerationChunk } from '@langchain/core/outputs';
import type { Generation, LLMResult } from '@langchain/core/outputs';
import { sharedModel } from '#rivulet';
import type { SharedLoadOptions, SharedModel } from '#rivulet';
import type { GenerateEvent } from '../../src/events.ts';
import type { CompleteRequest, Model } from '../../src/model.ts';
import { VERSION } from '../version.ts';
import { Answer } from './answer.ts';
import { pickBaseParams } from './chat-options.ts';
import { mergeCompletionOptions, pickLoadOptions, toCacheKey, toPlainOptions } from './completion-options.ts';
import type { CompletionOptions } from './completion-options.ts';
import { sortContent } from './content-text.ts';
import { leaveOnAbort } from './leave-on-abort.ts';
import { mapError } from './map-error.ts';
import { RequestQueue } from './request-queue.ts';
import { convertUsage, createResponseMetadata } from './response-metadata.ts';

export interface LocalLLMInput extends BaseLLMParams, Omit<SharedLoadOptions, 'signal'>, CompletionOptions {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  readonly model: string | Model;
}

export interface LocalLLMCallOptions extends BaseLLMCallOptions, Omit<CompletionOptions, 'stop'> {
  /** What follows the output: the model fills in the middle, if it was trained to. @default none */
  readonly suffix?: string;
}

/**
 * A local model that goes on with a text, without a chat template; with `suffix` it fills in the middle. Making one
 * is cheap, as with {@link ChatLocal}.
 */
export class LocalLLM extends BaseLLM<LocalLLMCallOptions> {
  readonly model: string;
  readonly #generation: CompletionOptions;
  readonly #loadOptions: Omit<SharedLoadOptions, 'signal'>;
  readonly #shared: SharedModel;
  readonly #queue: RequestQueue;

  static override lc_name(): string {
    return 'LocalLLM';
  }

  constructor(fields: LocalLLMInput) {
    super(pickBaseParams(fields));
    this._addVersion('rivulet', VERSION);
    this.#generation = mergeCompletionOptions(fields, {});
    this.#loadOptions = pickLoadOptions(fields);
    this.#shared = sharedModel(fields.model, this.#loadOptions);
    this.#queue = new RequestQueue(fields.maxConcurrency ?? Number.POSITIVE_INFINITY);
    this.model = typeof fields.model === 'string' ? fields.model : fields.model.info.id;
  }

  override _llmType(): string {
    return 'rivulet';
  }

  /** Loads the model ahead of the first request. */
  async preload(signal?: AbortSignal): Promise<this> {
    await this.#shared.acquire(signal);
    return this;
  }

  /** Frees the engine, for all who share it, once its streams have ended; the next request loads it again. */
  async dispose(): Promise<void> {
    await this.#shared.release();
  }

  /** Prompts run together; the first failure ends the others. */
  override async _generate(
    prompts: string[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<LLMResult> {
    const abort = new AbortController();
    const signal =
      options.signal === undefined ? abort.signal : AbortSignal.any([options.signal, abort.signal]);
    const total = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
    const complete = async (prompt: string): Promise<Generation[]> => {
      const answer = new Answer('v0');
      for await (const event of this.#events(prompt, { ...options, signal }, answer)) {
        if (event.type === 'text-delta' && prompts.length === 1) {
          await runManager?.handleLLMNewToken(event.delta);
        }
      }
      const { usage } = answer.finished().finish;
      total.promptTokens += usage.inputTokens.total;
      total.completionTokens += usage.outputTokens.total;
      total.totalTokens += usage.inputTokens.total + usage.outputTokens.total;
      return [{ text: answer.text, generationInfo: generationInfo(answer) }];
    };
    try {
      return { generations: await Promise.all(prompts.map(complete)), llmOutput: { tokenUsage: total } };
    } catch (error) {
      abort.abort(error);
      throw error;
    }
  }

  override async *_streamResponseChunks(
    prompt: string,
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<GenerationChunk> {
    const answer = new Answer('v0');
    for await (const event of this.#events(prompt, options, answer)) {
      if (event.type !== 'text-delta' && event.type !== 'finish') continue;
      const chunk =
        event.type === 'text-delta'
          ? new GenerationChunk({ text: event.delta })
          : new GenerationChunk({ text: '', generationInfo: generationInfo(answer) });
      yield chunk;
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
    }
  }

  /** Tokens of a text by the model's own vocabulary. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    const model = await this.#shared.acquire();
    return model.countTokens(sortContent(content).texts.join(''));
  }

  override invocationParams(options?: this['ParsedCallOptions']): Record<string, unknown> {
    return {
      model: this.model,
      ...toPlainOptions(mergeCompletionOptions(this.#generation, options ?? {})),
      ...pickSuffix(options ?? {}),
    };
  }

  override _identifyingParams(): Record<string, unknown> {
    const { onProgress: _onProgress, ...loadOptions } = this.#loadOptions;
    return { model: this.model, ...loadOptions, ...toPlainOptions(this.#generation) };
  }

  /** Only what changes the text. */
  override _getSerializedCacheKeyParametersForCall(options: LocalLLMCallOptions): string {
    const merged = toPlainOptions(mergeCompletionOptions(this.#generation, options));
    const own = { ...pickSuffix(options), _type: 'rivulet-completion' };
    return toCacheKey({ ...this._identifyingParams(), ...merged, ...own });
  }

  async *#events(
    prompt: string,
    options: this['ParsedCallOptions'],
    answer: Answer,
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    const { signal } = options;
    let leave: (() => void) | undefined;
    try {
      signal?.throwIfAborted();
      const request: CompleteRequest = {
        ...mergeCompletionOptions(this.#generation, options),
        ...pickSuffix(options),
        prompt,
        ...(signal === undefined ? {} : { signal }),
      };
      leave = await this.#queue.enter(signal);
      const model = await this.#shared.acquire(signal);
      for await (const event of leaveOnAbort(model.complete(request), signal)) {
        answer.push(event);
        yield event;
      }
    } catch (error) {
      throw mapError(error, answer, signal);
    } finally {
      leave?.();
    }
  }
}

function pickSuffix({ suffix }: Pick<LocalLLMCallOptions, 'suffix'>): { suffix?: string } {
  return suffix === undefined ? {} : { suffix };
}

function generationInfo(answer: Answer): Record<string, unknown> {
  const finished = answer.finished();
  return {
    ...createResponseMetadata(finished),
    usage_metadata: convertUsage(finished.finish.usage),
  };
}

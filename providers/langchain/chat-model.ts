import type { CallbackManagerForLLMRun, Callbacks } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BindToolsInput, LangSmithParams } from '@langchain/core/language_models/chat_models';
import type {
  BaseLanguageModelInput,
  StructuredOutputMethodOptions,
} from '@langchain/core/language_models/base';
import { assembleStructuredOutputPipeline } from '@langchain/core/language_models/structured_output';
import type { ChatModelStreamEvent } from '@langchain/core/language_models/event';
import type { ModelProfile } from '@langchain/core/language_models/profile';
import { coerceMessageLikeToMessage } from '@langchain/core/messages';
import type { AIMessageChunk, BaseMessage, BaseMessageLike, MessageContent } from '@langchain/core/messages';
import type { ChatGenerationChunk, ChatResult, LLMResult } from '@langchain/core/outputs';
import type { Runnable } from '@langchain/core/runnables';
import { sharedModel } from '#rivulet';
import type { SharedLoadOptions, SharedModel } from '#rivulet';
import type { GenerateEvent } from '../../src/events.ts';
import type { ChatRequest, Model } from '../../src/model.ts';
import { VERSION } from '../version.ts';
import { Answer } from './answer.ts';
import { CopyingCache, mayCache } from './cached-answers.ts';
import { callKeys, mergeGenerationOptions, pickBaseParams } from './chat-options.ts';
import { pickLoadOptions, toCacheKey, toPlainOptions } from './completion-options.ts';
import type { ChatLocalCallOptions, ChatLocalGenerationOptions, ChatLocalInput } from './chat-options.ts';
import { registerContentTranslator } from './content-translator.ts';
import { sortContent } from './content-text.ts';
import { convertMessages } from './convert-messages.ts';
import { leaveOnAbort } from './leave-on-abort.ts';
import { mapError } from './map-error.ts';
import { prepareFormat } from './prepare-format.ts';
import { prepareTools, toOpenAiTools } from './prepare-tools.ts';
import { RequestQueue } from './request-queue.ts';
import { mapFinishReason, modelProvider } from './response-metadata.ts';
import { structureOutput } from './structured-output.ts';
import type { OutputSchema, StructuredRunnable, StructuredValue } from './structured-output.ts';
import { toChunks } from './to-chunks.ts';
import { toEvents } from './to-events.ts';

/**
 * A local model as a LangChain chat model. Making one is cheap: the first request loads the model, and
 * instances with the same model and load options share one engine.
 */
export class ChatLocal extends BaseChatModel<ChatLocalCallOptions, AIMessageChunk> {
  readonly model: string;
  readonly #generation: ChatLocalGenerationOptions;
  readonly #loadOptions: Omit<SharedLoadOptions, 'signal'>;
  readonly #shared: SharedModel;
  readonly #queue: RequestQueue;
  #loaded: Model | undefined;

  static override lc_name(): string {
    return 'ChatLocal';
  }

  constructor(model: string | Model, fields?: Omit<ChatLocalInput, 'model'>);
  constructor(fields: ChatLocalInput);
  constructor(first: string | Model | ChatLocalInput, rest: Omit<ChatLocalInput, 'model'> = {}) {
    const fields: ChatLocalInput = isInput(first) ? first : { ...rest, model: first };
    super(pickBaseParams(fields));
    registerContentTranslator();
    this._addVersion('rivulet', VERSION);
    // The base class takes this option and does not apply it.
    this.disableStreaming = fields.disableStreaming ?? false;
    this.#generation = mergeGenerationOptions(fields, {});
    this.#loadOptions = pickLoadOptions(fields);
    this.#shared = sharedModel(fields.model, this.#loadOptions);
    this.#queue = new RequestQueue(fields.maxConcurrency ?? Number.POSITIVE_INFINITY);
    if (typeof fields.model === 'string') {
      this.model = fields.model;
    } else {
      this.model = fields.model.info.id;
      this.#loaded = fields.model;
    }
  }

  /** A model that is loaded already, see {@link ChatLocal.preload}. */
  static async load(fields: ChatLocalInput, signal?: AbortSignal): Promise<ChatLocal> {
    return new ChatLocal(fields).preload(signal);
  }

  override get callKeys(): string[] {
    return [...super.callKeys, ...callKeys];
  }

  override _llmType(): string {
    return 'rivulet';
  }

  /** The model with tools that it may call, see `tool_choice`. */
  override bindTools(
    tools: BindToolsInput[],
    kwargs?: Partial<ChatLocalCallOptions>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, ChatLocalCallOptions> {
    return this.withConfig({ tools: toOpenAiTools(tools), ...kwargs });
  }

  /**
   * The model with answers in the form of a schema, parsed and validated: by a forced call of a tool (the default),
   * by JSON that is held to the schema (`jsonSchema`) or by any JSON (`jsonMode`).
   */
  override withStructuredOutput<RunOutput extends StructuredValue = StructuredValue>(
    schema: OutputSchema<RunOutput>,
    config?: StructuredOutputMethodOptions<false>,
  ): Runnable<BaseLanguageModelInput, RunOutput>;
  override withStructuredOutput<RunOutput extends StructuredValue = StructuredValue>(
    schema: OutputSchema<RunOutput>,
    config?: StructuredOutputMethodOptions<true>,
  ): Runnable<BaseLanguageModelInput, { raw: BaseMessage; parsed: RunOutput }>;
  override withStructuredOutput<RunOutput extends StructuredValue = StructuredValue>(
    schema: OutputSchema<RunOutput>,
    config?: StructuredOutputMethodOptions<boolean>,
  ): StructuredRunnable<RunOutput> {
    const { tool, options, parser } = structureOutput(schema, config);
    const bound = tool === undefined ? this.withConfig(options) : this.bindTools([tool], options);
    return assembleStructuredOutputPipeline(bound, parser, config?.includeRaw, 'StructuredOutput');
  }

  /** Loads the model ahead of the first request; afterwards {@link ChatLocal.profile} is complete. */
  async preload(signal?: AbortSignal): Promise<this> {
    await this.#load(signal);
    return this;
  }

  /**
   * Frees the engine, for all who share it, once its streams have ended; the next request loads it again. A
   * {@link Model} that was handed in belongs to the caller and stays.
   */
  async dispose(): Promise<void> {
    await this.#shared.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** @see mayCache */
  override async generate(
    messages: BaseMessageLike[][],
    options?: string[] | Partial<ChatLocalCallOptions>,
    callbacks?: Callbacks,
  ): Promise<LLMResult> {
    const lists = messages.map((list) => list.map(coerceMessageLikeToMessage));
    if (this.cache === undefined || lists.every(mayCache)) return super.generate(lists, options, callbacks);
    const [config, callOptions] = this._separateRunnableConfigFromCallOptionsCompat(
      Array.isArray(options) ? ({ stop: options } as Partial<ChatLocalCallOptions>) : options,
    );
    const handled = config.callbacks ?? callbacks;
    return this._generateUncached(lists, callOptions, {
      ...config,
      ...(handled === undefined ? {} : { callbacks: handled }),
    });
  }

  /** @see CopyingCache */
  override async _generateCached(
    request: Parameters<BaseChatModel['_generateCached']>[0],
  ): ReturnType<BaseChatModel['_generateCached']> {
    return super._generateCached({ ...request, cache: new CopyingCache(request.cache) });
  }

  override async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    const answer = this.#createAnswer(options);
    for await (const _event of this.#events(messages, options, answer));
    const { finish } = answer.finished();
    const promptTokens = finish.usage.inputTokens.total;
    const completionTokens = finish.usage.outputTokens.total;
    return {
      generations: [
        {
          text: answer.text,
          message: answer.toMessage(),
          generationInfo: { finish_reason: mapFinishReason(finish.reason) },
        },
      ],
      llmOutput: {
        tokenUsage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
      },
    };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const answer = this.#createAnswer(options);
    for await (const chunk of toChunks(this.#events(messages, options, answer), answer)) {
      yield chunk;
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
    }
  }

  override async *_streamChatModelEvents(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
  ): AsyncGenerator<ChatModelStreamEvent> {
    const answer = new Answer('v1');
    yield* toEvents(this.#events(messages, options, answer), answer);
  }

  /** Tokens of a text by the model's own vocabulary; loads the model, uses no network beyond that. */
  override async getNumTokens(content: MessageContent): Promise<number> {
    const model = await this.#load(undefined);
    return model.countTokens(sortContent(content).texts.join(''));
  }

  /** Tokens of the whole prompt as the model sees it, and of the text of each message alone. */
  async getNumTokensFromMessages(
    messages: BaseMessage[],
  ): Promise<{ totalCount: number; countPerMessage: number[] }> {
    const model = await this.#load(undefined);
    const request = this.#createRequest(messages, {});
    return {
      totalCount: model.countTokens(request),
      countPerMessage: messages.map(({ content }) => model.countTokens(sortContent(content).texts.join(''))),
    };
  }

  /** Complete once the model is loaded, see {@link ChatLocal.preload}. */
  override get profile(): ModelProfile {
    const { contextLength } = this.#loadOptions;
    const maxInputTokens =
      this.#loaded?.info.contextLength ?? (typeof contextLength === 'number' ? contextLength : undefined);
    return {
      ...(maxInputTokens === undefined ? {} : { maxInputTokens, maxOutputTokens: maxInputTokens }),
      ...(this.#loaded === undefined ? {} : { reasoningOutput: this.#loaded.info.capabilities.reasoning }),
      imageInputs: false,
      audioInputs: false,
      pdfInputs: false,
      videoInputs: false,
      toolCalling: true,
      toolChoice: true,
      structuredOutput: true,
    };
  }

  override getLsParams(options: this['ParsedCallOptions']): LangSmithParams {
    const { temperature, maxTokens, stop } = mergeGenerationOptions(this.#generation, options);
    // All keys are there, undefined or not: LangChain's standard tests compare their set.
    const optional = { ls_temperature: temperature, ls_max_tokens: maxTokens, ls_stop: stop } as object;
    return {
      ls_provider: modelProvider,
      ls_model_name: this.model,
      ls_model_type: 'chat',
      ...optional,
    };
  }

  override invocationParams(options?: this['ParsedCallOptions']): Record<string, unknown> {
    return {
      model: this.model,
      ...toPlainOptions(mergeGenerationOptions(this.#generation, options ?? {})),
    };
  }

  override _identifyingParams(): Record<string, unknown> {
    const { onProgress: _onProgress, ...loadOptions } = this.#loadOptions;
    return { model: this.model, ...loadOptions, ...toPlainOptions(this.#generation) };
  }

  /** Only what changes the answer: in agents the call options also hold ids that differ from call to call. */
  override _getSerializedCacheKeyParametersForCall(options: ChatLocalCallOptions): string {
    const outputVersion = options.outputVersion ?? this.outputVersion;
    const merged = toPlainOptions(mergeGenerationOptions(this.#generation, options));
    const own = { outputVersion, ...prepareTools(options), ...prepareFormat(options.response_format) };
    return toCacheKey({ ...this._identifyingParams(), ...merged, ...own, _type: this._llmType() });
  }

  override _combineLLMOutput(...outputs: LLMResult['llmOutput'][]): LLMResult['llmOutput'] {
    const total = { promptTokens: 0, completionTokens: 0, totalTokens: 0 };
    for (const output of outputs) {
      const usage: Partial<typeof total> = output?.['tokenUsage'] ?? {};
      total.promptTokens += usage.promptTokens ?? 0;
      total.completionTokens += usage.completionTokens ?? 0;
      total.totalTokens += usage.totalTokens ?? 0;
    }
    return { tokenUsage: total };
  }

  #createAnswer(options: this['ParsedCallOptions']): Answer {
    return new Answer(options.outputVersion ?? this.outputVersion ?? 'v0');
  }

  #createRequest(messages: BaseMessage[], options: Partial<ChatLocalCallOptions>): ChatRequest {
    return {
      ...mergeGenerationOptions(this.#generation, options),
      ...prepareTools(options),
      ...prepareFormat(options.response_format),
      messages: convertMessages(messages),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
  }

  /** The one source of all three ways out: every event is in `answer` before it is handed on. */
  async *#events(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    answer: Answer,
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    let leave: (() => void) | undefined;
    try {
      options.signal?.throwIfAborted();
      const request = this.#createRequest(messages, options);
      leave = await this.#queue.enter(options.signal);
      const model = await this.#load(options.signal);
      warnAboutReasoning(model, request, answer);
      for await (const event of leaveOnAbort(model.chat(request), options.signal)) {
        answer.push(event);
        yield event;
      }
    } catch (error) {
      throw mapError(error, answer, options.signal);
    } finally {
      leave?.();
    }
  }

  async #load(signal: AbortSignal | undefined): Promise<Model> {
    const model = await this.#shared.acquire(signal);
    this.#loaded = model;
    return model;
  }
}

function isInput(value: string | Model | ChatLocalInput): value is ChatLocalInput {
  return typeof value === 'object' && 'model' in value;
}

function warnAboutReasoning(model: Model, request: ChatRequest, answer: Answer): void {
  if (request.reasoning === undefined || request.reasoning === 'off') return;
  if (model.info.capabilities.reasoning) return;
  answer.warn({ type: 'unsupported', feature: 'reasoning', message: 'This model writes no reasoning.' });
}

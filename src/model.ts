import { checkContinuation, renderContinuation } from './chat/continue-answer.ts';
import { describeFormat } from './chat/describe-format.ts';
import type { ResponseFormat } from './chat/describe-format.ts';
import { detectOutput } from './chat/formats/detect-output.ts';
import { detectTools } from './chat/formats/detect-tools.ts';
import { joinTextParts } from './chat/join-text-parts.ts';
import type { ChatMessage, ToolDefinition } from './chat/messages.ts';
import { answerFormat } from './chat/output/read-answer.ts';
import { prepareConversation } from './chat/prepare-conversation.ts';
import type { PreparedConversation } from './chat/prepare-conversation.ts';
import { reasoningWarnings } from './chat/reasoning-warnings.ts';
import { opensReasoning } from './chat/reasoning.ts';
import { renderWithoutReasoning } from './chat/switch-off-reasoning.ts';
import type { ChatTemplate, RenderedPrompt, TemplateInput } from './chat/template.ts';
import { decode } from './decode.ts';
import { embedInSlices, rerankInSlices } from './embed/run-in-slices.ts';
import type { TextEngine } from './embed/text-engine.ts';
import type { EmbedRequest, EmbedResult, RerankRequest, RerankResult } from './embed/text-vectors.ts';
import { RivuletError } from './errors.ts';
import type { GenerateEvent, ProgressListener, Warning } from './events.ts';
import type { Engine } from './generate/engine.ts';
import type { GenerationOptions } from './generate/generation-options.ts';
import { chatDemand, completeDemand, holdOptions, visibleTexts } from './output-demand.ts';
import { OutputHolder } from './output-holder.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

/** A loaded model. */
export interface Model {
  readonly info: ModelInfo;
  /** Messages in, events out; nothing is computed before the first event is asked for. */
  chat(request: ChatRequest): AsyncIterable<GenerateEvent>;
  /** Raw text or ids in, events out; no template. */
  complete(request: CompleteRequest): AsyncIterable<GenerateEvent>;
  /** Vectors of texts, in their order. */
  embed(request: EmbedRequest): Promise<EmbedResult>;
  /** Documents by how well they answer a query. */
  rerank(request: RerankRequest): Promise<RerankResult>;
  /**
   * Ids of a text. `parseSpecial`: control tokens that are written in it become such (@default false); `addSpecial`: with
   * the tokens that begin and end a sequence (@default false).
   */
  tokenize(text: string, options?: { parseSpecial?: boolean; addSpecial?: boolean }): Int32Array;
  detokenize(ids: ArrayLike<number>, options?: { special?: boolean }): string;
  /** What the model will see. */
  renderPrompt(request: ChatRequest): string;
  countTokens(request: ChatRequest | string): number;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a file holds and how it runs. */
export interface ModelInfo {
  /** The reference it was loaded by. */
  readonly id: string;
  /** `general.architecture`, for example `llama`. */
  readonly architecture: string;
  /** `general.name`, if the file has one. */
  readonly name?: string;
  /** Number of weights. */
  readonly parameters: number;
  /** Most frequent tensor type by bytes, for example `Q4_K`. */
  readonly quantization: string;
  /** Size of the file or of all its shards. */
  readonly fileBytes: number;
  /** Longest sequence of this engine, in tokens. */
  readonly contextLength: number;
  /** Longest sequence that the model was trained for, in tokens. */
  readonly trainedContextLength: number;
  readonly vocabularySize: number;
  readonly capabilities: ModelCapabilities;
  /** Absent with `vocabularyOnly`. */
  readonly engine?: {
    readonly dialect: 'native' | 'portable';
    readonly device: 'cpu' | 'cuda' | 'webgpu';
    /** Instruction set of the kernels, for example `avx512`; of the native dialect only. */
    readonly isa?: string;
    readonly threads: number;
    /** Milliseconds from the call of `loadModel` to the ready engine. */
    readonly loadMs: number;
  };
}

export interface ModelCapabilities {
  readonly chat: boolean;
  /** The chat template has a form for tools. Models without one are told of tools in words, and use them less well. */
  readonly tools: boolean;
  /** The model writes its thoughts between markers before the answer. */
  readonly reasoning: boolean;
  /** Made for vectors of texts; others make them too, but not good ones. */
  readonly embedding: boolean;
  /** Made to judge how well a document answers a query. */
  readonly reranking: boolean;
}

export interface ChatRequest extends GenerationOptions {
  /** The conversation, oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Functions that the model may call. @default none */
  readonly tools?: readonly ToolDefinition[];
  /** `required`: the answer is calls; a name: calls of that tool; `none`: as if there were no tools. @default 'auto' */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string };
  /** Most calls in one answer, of models that can make several. @default 16 */
  readonly maxToolCalls?: number;
  /** `json`: the text of the answer is JSON and valid under the schema. @default text */
  readonly responseFormat?: ResponseFormat;
  /**
   * How much the model thinks before it answers: a level of its template, or the most tokens of its thoughts, at which
   * they are closed. @default what the template does by itself
   */
  readonly reasoning?: 'off' | 'low' | 'medium' | 'high' | { readonly maxTokens: number };
  /** Given to the template as they are, over our own. @default none */
  readonly templateVariables?: Readonly<Record<string, unknown>>;
  /** End the prompt with the opening of the assistant's turn. @default true */
  readonly addGenerationPrompt?: boolean;
  /**
   * The last message is the beginning of an answer: the model goes on with its text, and only what is new comes out. A
   * template that allows none gives a warning, and the model begins a new turn. @default false
   */
  readonly continueFinalMessage?: boolean;
}

export interface CompleteRequest extends GenerationOptions {
  /** Text, or ids that go in exactly as given (no BOS added). */
  readonly prompt: string | Int32Array;
  /** What follows the output: the model fills in the middle, if it was trained to. @default none */
  readonly suffix?: string;
  /** A `prompt-logprobs` event comes first, with this many alternatives per prompt token (0–100). @default no event */
  readonly promptLogprobs?: number;
}

export interface LoadOptions {
  /** Longest sequence in tokens; `auto` = what the model was trained for, bounded by memory. @default 'auto' */
  readonly contextLength?: number | 'auto';
  /** Threads of the engine. @default physical cores */
  readonly threads?: number;
  /** Which engine runs the model. @default 'native' where it can, else 'portable' */
  readonly dialect?: 'native' | 'portable';
  /** What the engine runs on; so far that is the CPU, and other devices are refused. @default 'auto' */
  readonly device?: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  /**
   * Most streams that compute at once; more wait in the order of their priority and arrival. Streams that nobody reads
   * hold no place, an abort leaves the queue at once, and vectors and scores of texts, which take turns, do not count.
   * @default 32
   */
  readonly maxStreams?: number;
  /** How the native engine keeps keys and values. @default 'f16' */
  readonly cacheType?: 'f32' | 'f16' | 'q8_0' | 'q4_0';
  /** Jinja source used instead of the file's own template. @default the file's, else by its tokens */
  readonly chatTemplate?: string;
  /** Tokenize, count and render without reading weights. @default false */
  readonly vocabularyOnly?: boolean;
  /** Hears every step of the load. @default none */
  readonly onProgress?: ProgressListener;
  /** Ends the load. @default none */
  readonly signal?: AbortSignal;
}

/** What {@link createModel} puts together. */
export interface ModelParts {
  readonly info: ModelInfo;
  readonly tokenizer: Tokenizer;
  /** Called for every rendering; a broken template must not keep `complete` from working. */
  readonly template: () => ChatTemplate;
  /** The file is for vectors of texts and has nothing to generate with. */
  readonly encodesOnly?: boolean;
  /** Absent with `vocabularyOnly` and `encodesOnly`. */
  readonly engine?: Engine;
  readonly texts: TextEngine;
}

/**
 * One model from its parts, in the caller's thread: render → tokenize → generate → detokenize → parse.
 * {@link Model.dispose} disposes the engine.
 */
export function createModel(parts: ModelParts): Model {
  const { info, tokenizer, engine, texts } = parts;
  const guesses = (tokenizer.warnings ?? []).map((message): Warning => ({
    type: 'compatibility',
    feature: 'tokenizer',
    message,
  }));
  let disposed = false;
  const holder = new OutputHolder(tokenizer, () => visibleTexts(parts.template));

  const prepareChat = (request: ChatRequest): PreparedChat => {
    const given = request.messages.map(joinTextParts);
    const { messages, continues } =
      request.continueFinalMessage === true
        ? checkContinuation(given)
        : { messages: given, continues: false };
    const conversation = prepareConversation(
      {
        messages,
        tools: request.tools,
        toolChoice: request.toolChoice,
      },
      parts.template,
    );
    const prepared = { ...conversation, continues };
    const showsSystem = (): boolean => detectTools(parts.template()).showsSystem;
    // Who has to call a tool answers with no text.
    const isCall = request.toolChoice === 'required' || typeof request.toolChoice === 'object';
    if (isCall) return prepared;
    return { ...prepared, messages: describeFormat(prepared.messages, request.responseFormat, showsSystem) };
  };

  const renderChat = (request: ChatRequest, prepared = prepareChat(request)): RenderedChatPrompt => {
    const template = parts.template();
    const input: TemplateInput = {
      messages: prepared.messages,
      tools: prepared.tools,
      ...(request.addGenerationPrompt === undefined
        ? {}
        : { addGenerationPrompt: request.addGenerationPrompt }),
      ...(request.reasoning === undefined ? {} : { reasoning: request.reasoning }),
      ...(request.templateVariables === undefined ? {} : { variables: request.templateVariables }),
    };
    const output = detectOutput(template.source);
    const isHeld = prepared.offered.size > 0 || request.grammar !== undefined || isJson(request);
    // Grammars of answers in channels begin with the head of a message.
    if (prepared.continues && !(isHeld && output.channels !== undefined)) {
      const continued = renderContinuation(template, input, output.reasoning);
      if (continued !== undefined) return { ...continued, continues: true };
    }
    const rendered =
      request.reasoning === 'off' ? renderWithoutReasoning(template, input, output) : template.render(input);
    return { ...rendered, continues: false };
  };

  const encodeChat = (rendered: RenderedPrompt): Int32Array =>
    withBeginning(
      tokenizer,
      tokenizer.encode(rendered.text, { parseSpecial: true, guards: rendered.guards }),
    );

  const requireEngine = (): Engine => {
    if (disposed) throw new RivuletError('DISPOSED', `The model "${info.id}" was disposed; load it again.`);
    if (engine !== undefined) return engine;
    if (parts.encodesOnly) {
      throw new RivuletError(
        'UNSUPPORTED',
        `The model "${info.id}" is a ${info.architecture}, which makes vectors or scores of texts and cannot generate any. Load a chat model for that.`,
        { details: { architecture: info.architecture } },
      );
    }
    throw new RivuletError(
      'UNSUPPORTED',
      `The model "${info.id}" was loaded with vocabularyOnly and has no weights; load it without that option to generate.`,
    );
  };

  async function* chat(request: ChatRequest): AsyncGenerator<GenerateEvent, void, undefined> {
    const running = requireEngine();
    request.signal?.throwIfAborted();
    const prepared = prepareChat(request);
    const rendered = renderChat(request, prepared);
    const { source } = parts.template();
    const output = detectOutput(source);
    const format = answerFormat(output, prepared.toolFormat);
    const { continues } = rendered;
    const startsInReasoning =
      !continues && format.reasoning !== undefined && opensReasoning(rendered.text, format.reasoning);
    const demand = chatDemand(request, { prepared, output, source, startsInReasoning, continues, tokenizer });
    const held = holder.hold(demand, holdOptions(request, output.reasoning));
    const refused = prepared.continues && !continues ? [noContinuation] : [];
    const unheard = reasoningWarnings(request.reasoning, source);
    yield startEvent(info, [...guesses, ...refused, ...unheard, ...held.warnings]);
    const events = decode({
      loadMs: info.engine?.loadMs ?? 0,
      tokenizer,
      engine: running,
      prompt: encodeChat(rendered),
      options: request,
      output: {
        format,
        startsInReasoning,
        toolFormat: prepared.toolFormat,
        tools: prepared.offered,
        mostCalls: demand.mostCalls,
      },
      continuesText: continues,
      mask: await held.mask(),
    });
    yield* held.check(events);
  }

  async function* complete(request: CompleteRequest): AsyncGenerator<GenerateEvent, void, undefined> {
    const running = requireEngine();
    request.signal?.throwIfAborted();
    const held = holder.hold(completeDemand(request), holdOptions(request, undefined));
    yield startEvent(info, [...guesses, ...held.warnings]);
    const prompt =
      request.suffix !== undefined
        ? fillPrompt(info, tokenizer, request.prompt, request.suffix)
        : typeof request.prompt === 'string'
          ? withBeginning(tokenizer, tokenizer.encode(request.prompt, { parseSpecial: true }))
          : request.prompt;
    const events = decode({
      loadMs: info.engine?.loadMs ?? 0,
      tokenizer,
      engine: running,
      prompt,
      options: request,
      continuesText: true,
      promptLogprobs: request.promptLogprobs,
      mask: await held.mask(),
    });
    yield* held.check(events);
  }

  const dispose = async (): Promise<void> => {
    if (disposed) return;
    disposed = true;
    await Promise.all([engine?.dispose(), texts.dispose()]);
  };

  return {
    info,
    chat,
    complete,
    embed: (request) => embedInSlices(request, texts.run),
    rerank: (request) => rerankInSlices(request, texts.run),
    tokenize: (text, options = {}) => tokenizer.encode(text, options),
    detokenize: (ids, options = {}) => tokenizer.decode(ids, options),
    renderPrompt: (request) => renderChat(request).text,
    countTokens: (request) =>
      typeof request === 'string' ? tokenizer.encode(request).length : encodeChat(renderChat(request)).length,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** A conversation, and whether its last message is an answer that has begun. */
interface PreparedChat extends PreparedConversation {
  readonly continues: boolean;
}

/** … and whether the prompt ends inside that answer. */
interface RenderedChatPrompt extends RenderedPrompt {
  readonly continues: boolean;
}

const noContinuation: Warning = {
  type: 'unsupported',
  feature: 'continueFinalMessage',
  message:
    'The last message cannot be continued with this model: it is rendered as a finished turn, and the model begins a new one.',
};

function isJson({ responseFormat }: ChatRequest): boolean {
  return responseFormat?.type === 'json';
}

function startEvent(info: ModelInfo, warnings: readonly Warning[]): GenerateEvent {
  return { type: 'start', id: crypto.randomUUID(), modelId: info.id, timestamp: Date.now(), warnings };
}

/** BOS where the vocabulary wants it, but never twice: many templates write it themselves. */
function withBeginning(tokenizer: Tokenizer, ids: Int32Array): Int32Array {
  if (!tokenizer.addBos || tokenizer.bosId < 0 || ids[0] === tokenizer.bosId) return ids;
  const result = new Int32Array(ids.length + 1);
  result[0] = tokenizer.bosId;
  result.set(ids, 1);
  return result;
}

/** Prefix, suffix, middle: the order that all models with such tokens know (Bavarian et al. 2022, PSM). */
function fillPrompt(
  info: ModelInfo,
  tokenizer: Tokenizer,
  prompt: string | Int32Array,
  suffix: string,
): Int32Array {
  const { fill } = tokenizer;
  if (fill === undefined) {
    throw new RivuletError(
      'UNSUPPORTED',
      `The model "${info.id}" has no tokens for filling in the middle. Leave suffix away, or choose a model for code completion.`,
    );
  }
  const before = typeof prompt === 'string' ? tokenizer.encode(prompt) : prompt;
  const parts = [fill.prefixId, ...before, fill.suffixId, ...tokenizer.encode(suffix), fill.middleId];
  return withBeginning(tokenizer, Int32Array.from(parts));
}

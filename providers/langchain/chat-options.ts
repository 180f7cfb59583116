import type {
  BaseChatModelCallOptions,
  BaseChatModelParams,
  BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import { RivuletError } from '../../src/errors.ts';
import type { SharedLoadOptions } from '#rivulet';
import type { ChatRequest, Model } from '../../src/model.ts';

/** How tokens are chosen and when generation ends, per instance or per call. */
export type ChatLocalGenerationOptions = Pick<ChatRequest, (typeof generationKeys)[number]>;

export interface ChatLocalInput
  extends BaseChatModelParams, Omit<SharedLoadOptions, 'signal'>, ChatLocalGenerationOptions {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  readonly model: string | Model;
}

export interface ResponseFormatOption {
  readonly type: string;
  readonly json_schema?: { readonly schema?: unknown };
}

export interface ChatLocalCallOptions
  extends BaseChatModelCallOptions, Omit<ChatLocalGenerationOptions, 'stop'> {
  /** See {@link ChatLocal.bindTools}. */
  readonly tools?: readonly BindToolsInput[];
  /** In the shape of OpenAI's interface: `text`, `json_object`, or `json_schema` with its schema. */
  readonly response_format?: ResponseFormatOption;
}

/** Whitelists: inside agents the options also carry the caller's own keys, functions among them. */
const generationKeys: readonly [
  'maxTokens',
  'temperature',
  'topK',
  'topP',
  'minP',
  'typicalP',
  'repeatPenalty',
  'repeatLastN',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'ignoreEos',
  'logitBias',
  'samplers',
  'logprobs',
  'priority',
  'reasoning',
  'grammar',
  'closeGrammar',
  'maxToolCalls',
  'templateVariables',
] = [
  'maxTokens',
  'temperature',
  'topK',
  'topP',
  'minP',
  'typicalP',
  'repeatPenalty',
  'repeatLastN',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'ignoreEos',
  'logitBias',
  'samplers',
  'logprobs',
  'priority',
  'reasoning',
  'grammar',
  'closeGrammar',
  'maxToolCalls',
  'templateVariables',
];
const loadKeys = [
  'contextLength',
  'threads',
  'dialect',
  'cacheType',
  'chatTemplate',
  'vocabularyOnly',
  'keepAliveMs',
  'onProgress',
] as const satisfies readonly (keyof SharedLoadOptions)[];
const baseKeys = [
  'callbacks',
  'callbackManager',
  'cache',
  'verbose',
  'tags',
  'metadata',
  'maxConcurrency',
  'maxRetries',
  'onFailedAttempt',
  'disableStreaming',
  'outputVersion',
] as const satisfies readonly (keyof BaseChatModelParams)[];

export function pickLoadOptions(fields: ChatLocalInput): Omit<SharedLoadOptions, 'signal'> {
  return pick(fields, loadKeys);
}

/** Only these reach the base class, which keeps what it gets for serialization: no model, no listener. */
export function pickBaseParams(fields: ChatLocalInput): BaseChatModelParams {
  return pick(fields, baseKeys);
}

/** Those of the call over those of the instance. */
export function mergeGenerationOptions(
  fields: ChatLocalGenerationOptions,
  call: Pick<ChatLocalCallOptions, keyof ChatLocalGenerationOptions>,
): ChatLocalGenerationOptions {
  return { ...pick(fields, generationKeys), ...pick(call, generationKeys) };
}

/** Options as small plain JSON, for traces and cache keys. */
export function toPlainOptions(options: ChatLocalGenerationOptions): Record<string, unknown> {
  const { logitBias, ...rest } = options;
  return logitBias === undefined
    ? rest
    : { ...rest, logitBias: [...logitBias].map(([id, bias]) => [id, String(bias)]) };
}

/** @throws {RivuletError} `INVALID_ARGUMENT` for a format of another shape */
export function prepareResponseFormat(
  format: ResponseFormatOption | undefined,
): Pick<ChatRequest, 'responseFormat'> {
  if (format === undefined || format.type === 'text') return {};
  if (format.type === 'json_object') return { responseFormat: { type: 'json' } };
  const schema = format.json_schema?.schema;
  if (format.type === 'json_schema' && typeof schema === 'object' && schema !== null) {
    return { responseFormat: { type: 'json', schema: { ...schema } } };
  }
  throw new RivuletError(
    'INVALID_ARGUMENT',
    `Expected response_format to be { type: "text" }, { type: "json_object" } or { type: "json_schema", json_schema: { schema } }, got ${JSON.stringify(format)}.`,
    { details: { option: 'response_format' } },
  );
}

/** Those of the keys that have a value. */
function pick<T extends object, Key extends keyof T>(
  source: T,
  keys: readonly Key[],
): { [K in Key]?: Exclude<T[K], undefined> } {
  const entries = keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]] as const]));
  return Object.fromEntries(entries) as { [K in Key]?: Exclude<T[K], undefined> };
}

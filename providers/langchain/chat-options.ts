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

export interface ChatLocalCallOptions
  extends BaseChatModelCallOptions, Omit<ChatLocalGenerationOptions, 'stop'> {
  /** See {@link ChatLocal.bindTools}. */
  readonly tools?: readonly BindToolsInput[];
  /** Not supported yet: anything but `{ type: 'text' }` fails with `UNSUPPORTED`. */
  readonly response_format?: { readonly type: string };
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

/** @throws {RivuletError} `UNSUPPORTED` for structured output: LangChain has no channel for a warning. */
export function assertSupported(options: ChatLocalCallOptions): void {
  const found = unsupportedOption(options);
  if (found === undefined) return;
  throw new RivuletError(
    'UNSUPPORTED',
    `ChatLocal does not shape answers yet, and the call asked for ${found}; leave that option out, or describe the wanted format in the prompt.`,
    { details: { option: found } },
  );
}

function unsupportedOption({ response_format: responseFormat }: ChatLocalCallOptions): string | undefined {
  return responseFormat !== undefined && responseFormat.type !== 'text' ? 'response_format' : undefined;
}

/** Those of the keys that have a value. */
function pick<T extends object, Key extends keyof T>(
  source: T,
  keys: readonly Key[],
): { [K in Key]?: Exclude<T[K], undefined> } {
  const entries = keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]] as const]));
  return Object.fromEntries(entries) as { [K in Key]?: Exclude<T[K], undefined> };
}

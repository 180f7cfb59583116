import type {
  BaseChatModelCallOptions,
  BaseChatModelParams,
  BindToolsInput,
} from '@langchain/core/language_models/chat_models';
import type { SharedLoadOptions } from '#rivulet';
import type { ChatRequest, Model } from '../../src/model.ts';
import { completionKeys, pick } from './completion-options.ts';
import type { ResponseFormatInput } from './prepare-format.ts';

/** How tokens are chosen and when generation ends, per instance or per call. */
export type ChatLocalGenerationOptions = Pick<ChatRequest, (typeof generationKeys)[number]>;

export interface ChatLocalInput
  extends BaseChatModelParams, Omit<SharedLoadOptions, 'signal'>, ChatLocalGenerationOptions {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  readonly model: string | Model;
}

export interface ChatLocalCallOptions
  extends BaseChatModelCallOptions, Omit<ChatLocalGenerationOptions, 'stop'> {
  /** See {@link ChatLocal.bindTools}. @default none */
  readonly tools?: readonly BindToolsInput[];
  /** `false`: at most one call in an answer, as with `maxToolCalls: 1`. @default true */
  readonly parallel_tool_calls?: boolean;
  /** Calls are held to their schemas either way; models see it where their template shows it. @default false */
  readonly strict?: boolean;
  /** Holds the text of the answer to JSON, and to its schema where there is one; tools may be called instead. @default none */
  readonly response_format?: ResponseFormatInput;
}

const generationKeys: readonly [...typeof completionKeys, 'reasoning', 'maxToolCalls', 'templateVariables'] =
  [...completionKeys, 'reasoning', 'maxToolCalls', 'templateVariables'];

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

/** Only these reach the base class, which keeps what it gets for serialization: no model, no listener. */
export function pickBaseParams(fields: BaseChatModelParams): BaseChatModelParams {
  return pick(fields, baseKeys);
}

/** Those of the call over those of the instance. */
export function mergeGenerationOptions(
  fields: ChatLocalGenerationOptions,
  call: Pick<ChatLocalCallOptions, keyof ChatLocalGenerationOptions>,
): ChatLocalGenerationOptions {
  return { ...pick(fields, generationKeys), ...pick(call, generationKeys) };
}

/** What a call may set beyond the options that every chat model has. */
export const callKeys: readonly string[] = [
  ...generationKeys,
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'strict',
  'response_format',
];

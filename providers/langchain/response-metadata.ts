import type { UsageMetadata } from '@langchain/core/messages';
import type { FinishReason, GenerateEvent, TokenLogprob, Usage, Warning } from '../../src/events.ts';

/** `response_metadata.model_provider` of our messages; also the key of the content translator. */
export const modelProvider: string = 'rivulet';

/** LangChain's names. */
const finishReasons: Readonly<Record<FinishReason, 'stop' | 'length' | 'tool_use'>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_use',
};

export function mapFinishReason(reason: FinishReason): 'stop' | 'length' | 'tool_use' {
  return finishReasons[reason];
}

export function convertUsage({ inputTokens, outputTokens }: Usage): UsageMetadata {
  return {
    input_tokens: inputTokens.total,
    output_tokens: outputTokens.total,
    total_tokens: inputTokens.total + outputTokens.total,
    input_token_details: { cache_read: inputTokens.cacheRead },
    output_token_details: { reasoning: outputTokens.reasoning },
  };
}

/** The field of a message; core's type of it collapses to undefined under `exactOptionalPropertyTypes`. */
export function usageField(usage: Usage): object {
  return { usage_metadata: convertUsage(usage) };
}

export interface FinishedAnswer {
  readonly start: (GenerateEvent & { type: 'start' }) | undefined;
  readonly finish: GenerateEvent & { type: 'finish' };
  readonly tokens: readonly TokenLogprob[];
  readonly warnings: readonly Warning[];
}

/**
 * `response_metadata` of a complete answer. It goes on one chunk only: core joins strings and adds numbers
 * of several (`_mergeDicts`).
 */
export function createResponseMetadata(answer: FinishedAnswer): Record<string, unknown> {
  const { start, finish, tokens, warnings } = answer;
  return {
    model_provider: modelProvider,
    ...(start === undefined ? {} : { model: start.modelId, model_name: start.modelId }),
    finish_reason: mapFinishReason(finish.reason),
    raw_finish_reason: finish.rawReason,
    timings: { ...finish.timings },
    ...(tokens.length === 0 ? {} : { logprobs: { content: tokens.map(convertToken) } }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}

/** The shape that LangChain's users know from chat completion interfaces. */
function convertToken(token: TokenLogprob): Record<string, unknown> {
  return {
    token: token.text,
    token_id: token.id,
    logprob: token.logprob,
    top_logprobs: token.top.map(({ id, text, logprob }) => ({ token: text, token_id: id, logprob })),
  };
}

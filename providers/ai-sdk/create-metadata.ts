import type { JSONObject, SharedV4ProviderMetadata } from '@ai-sdk/provider';
import type { GenerateEvent, TokenAlternative, TokenLogprob } from '../../src/events.ts';
import type { ModelInfo } from '../../src/model.ts';

/** `providerMetadata` of a finished answer: where its time went (milliseconds), and on what engine. */
export function createMetadata(
  info: ModelInfo,
  { usage, timings, warnings = [] }: GenerateEvent & { type: 'finish' },
  tokens: readonly TokenLogprob[],
): SharedV4ProviderMetadata {
  const { loadMs, queueMs, prefillMs, decodeMs } = timings;
  const computedPromptTokens = usage.inputTokens.total - usage.inputTokens.cacheRead;
  return {
    local: {
      loadMs,
      queueMs,
      prefillMs,
      decodeMs,
      timeToFirstTokenMs: queueMs + prefillMs,
      promptTokensPerSecond: perSecond(computedPromptTokens, prefillMs),
      tokensPerSecond: perSecond(usage.outputTokens.total, decodeMs),
      ...describeEngine(info),
      // What a schema wanted and no grammar could hold is known at the end, when warnings are told already.
      ...(warnings.length === 0 ? {} : { warnings: warnings.map(({ message }) => message) }),
      ...(tokens.length === 0 ? {} : { logprobs: tokens.map(plainToken) }),
    },
  };
}

/** `providerMetadata` of vectors and scores. */
export function engineMetadata(info: ModelInfo): SharedV4ProviderMetadata {
  return { local: describeEngine(info) };
}

function describeEngine({ quantization, engine }: ModelInfo): JSONObject {
  if (engine === undefined) return { quantization };
  const { dialect, device, threads } = engine;
  return { quantization, engine: { dialect, device, threads } };
}

/** `providerMetadata` of a delta or a part that was asked for with `logprobs`; empty without. */
export function createTokenMetadata(tokens: readonly TokenLogprob[] | undefined): {
  providerMetadata?: SharedV4ProviderMetadata;
} {
  if (tokens === undefined || tokens.length === 0) return {};
  return { providerMetadata: { local: { logprobs: tokens.map(plainToken) } } };
}

function plainToken(token: TokenLogprob): JSONObject {
  return { ...plainAlternative(token), top: token.top.map(plainAlternative) };
}

/** JSON knows no infinity: a token that was forbidden has the log-probability null. */
function plainAlternative({ id, text, logprob }: TokenAlternative): JSONObject {
  return { id, text, logprob: Number.isFinite(logprob) ? logprob : null };
}

/** Null when the time is too short to be measured. */
function perSecond(count: number, milliseconds: number): number | null {
  return milliseconds > 0 ? (count * 1000) / milliseconds : null;
}

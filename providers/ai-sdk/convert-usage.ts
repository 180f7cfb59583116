import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { Timings, Usage } from '../../src/events.ts';

/** `noCache` = prompt tokens computed now; `raw` keeps our own counts and the timings in milliseconds. */
export function convertUsage(usage: Usage, timings: Timings): LanguageModelV4Usage {
  const { inputTokens, outputTokens } = usage;
  return {
    inputTokens: {
      total: inputTokens.total,
      noCache: inputTokens.total - inputTokens.cacheRead,
      cacheRead: inputTokens.cacheRead,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: outputTokens.total,
      text: outputTokens.total - outputTokens.reasoning,
      reasoning: outputTokens.reasoning,
    },
    raw: { inputTokens: { ...inputTokens }, outputTokens: { ...outputTokens }, timings: { ...timings } },
  };
}

import type { LanguageModelV4FinishReason } from '@ai-sdk/provider';
import type { GenerateEvent } from '../../src/events.ts';

export function mapFinishReason(
  event: Pick<GenerateEvent & { type: 'finish' }, 'reason' | 'rawReason'>,
): LanguageModelV4FinishReason {
  return { unified: event.reason, raw: event.rawReason };
}

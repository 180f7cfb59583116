import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  SharedV4Warning,
} from '@ai-sdk/provider';
import { createNullLanguageModelUsage } from '@ai-sdk/provider-utils';
import type { GenerateEvent, TokenLogprob } from '../../src/events.ts';
import type { ModelInfo } from '../../src/model.ts';
import { convertUsage } from './convert-usage.ts';
import { convertWarnings } from './convert-warnings.ts';
import { createMetadata, createTokenMetadata } from './create-metadata.ts';
import { mapFinishReason } from './map-finish-reason.ts';

interface OpenBlock {
  text: string;
  readonly tokens: TokenLogprob[];
}

/** All events of one answer as one result; whatever the events throw goes through. */
export async function toGenerateResult(
  events: AsyncIterable<GenerateEvent>,
  { info, warnings }: { readonly info: ModelInfo; readonly warnings: readonly SharedV4Warning[] },
): Promise<LanguageModelV4GenerateResult> {
  const content: LanguageModelV4Content[] = [];
  const open = new Map<string, OpenBlock>();
  const tokens: TokenLogprob[] = [];
  const result: LanguageModelV4GenerateResult = {
    content,
    finishReason: { unified: 'other', raw: undefined },
    usage: createNullLanguageModelUsage(),
    warnings: [...warnings],
  };
  for await (const event of events) {
    switch (event.type) {
      case 'start':
        result.warnings.push(...convertWarnings(event.warnings));
        result.response = { id: event.id, modelId: event.modelId, timestamp: new Date(event.timestamp) };
        break;
      case 'text-start':
      case 'reasoning-start':
        open.set(event.id, { text: '', tokens: [] });
        break;
      case 'text-delta':
      case 'reasoning-delta': {
        const block = open.get(event.id);
        if (block === undefined) break;
        block.text += event.delta;
        block.tokens.push(...(event.tokens ?? []));
        break;
      }
      case 'text-end':
      case 'reasoning-end': {
        const block = open.get(event.id);
        if (block === undefined) break;
        tokens.push(...block.tokens);
        content.push({
          type: event.type === 'text-end' ? 'text' : 'reasoning',
          text: block.text,
          ...createTokenMetadata(block.tokens),
        });
        break;
      }
      case 'tool-call':
        content.push({
          type: 'tool-call',
          toolCallId: event.id,
          toolName: event.toolName,
          input: event.input,
        });
        break;
      case 'finish':
        result.finishReason = mapFinishReason(event);
        result.usage = convertUsage(event.usage, event.timings);
        result.providerMetadata = createMetadata(info, event, tokens);
        break;
      case 'prompt-logprobs':
      case 'tool-input-start':
      case 'tool-input-delta':
      case 'tool-input-end':
        break;
    }
  }
  return result;
}

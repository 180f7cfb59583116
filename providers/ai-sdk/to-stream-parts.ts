import type { LanguageModelV4StreamPart, SharedV4Warning } from '@ai-sdk/provider';
import { createNullLanguageModelUsage } from '@ai-sdk/provider-utils';
import type { GenerateEvent, TokenLogprob } from '../../src/events.ts';
import type { ModelInfo } from '../../src/model.ts';
import { convertUsage } from './convert-usage.ts';
import { convertWarnings } from './convert-warnings.ts';
import { createMetadata, createTokenMetadata } from './create-metadata.ts';
import { mapError } from './map-error.ts';
import { mapFinishReason } from './map-finish-reason.ts';

export interface StreamPartsOptions {
  readonly info: ModelInfo;
  /** Those of the call; the model's own are added. */
  readonly warnings: readonly SharedV4Warning[];
  readonly includeRawChunks: boolean;
  readonly signal: AbortSignal;
}

interface OpenBlock {
  readonly end: 'text-end' | 'reasoning-end' | 'tool-input-end';
  readonly tokens: TokenLogprob[];
}

/**
 * Events to stream parts. A failure midway closes open blocks and ends with `error` and `finish`; an abort
 * throws the signal's reason.
 */
export async function* toStreamParts(
  events: AsyncIterable<GenerateEvent>,
  options: StreamPartsOptions,
): AsyncGenerator<LanguageModelV4StreamPart, void, undefined> {
  const open = new Map<string, OpenBlock>();
  const tokens: TokenLogprob[] = [];
  let started = false;
  try {
    for await (const event of events) {
      if (event.type === 'start') {
        started = true;
        yield { type: 'stream-start', warnings: [...options.warnings, ...convertWarnings(event.warnings)] };
        yield {
          type: 'response-metadata',
          id: event.id,
          modelId: event.modelId,
          timestamp: new Date(event.timestamp),
        };
      }
      if (options.includeRawChunks) yield { type: 'raw', rawValue: event };
      switch (event.type) {
        case 'start':
        case 'prompt-logprobs':
          break;
        case 'text-delta':
        case 'reasoning-delta':
          if (event.tokens !== undefined) {
            tokens.push(...event.tokens);
            open.get(event.id)?.tokens.push(...event.tokens);
          }
          yield {
            type: event.type,
            id: event.id,
            delta: event.delta,
            ...createTokenMetadata(event.tokens),
          };
          break;
        case 'text-start':
          open.set(event.id, { end: 'text-end', tokens: [] });
          yield event;
          break;
        case 'reasoning-start':
          open.set(event.id, { end: 'reasoning-end', tokens: [] });
          yield event;
          break;
        case 'tool-input-start':
          open.set(event.id, { end: 'tool-input-end', tokens: [] });
          yield event;
          break;
        case 'text-end':
        case 'reasoning-end':
        case 'tool-input-end':
          // The SDK keeps of a part what its end says, else what its last delta said.
          yield { ...event, ...createTokenMetadata(open.get(event.id)?.tokens) };
          open.delete(event.id);
          break;
        case 'tool-input-delta':
          yield event;
          break;
        case 'tool-call':
          yield { type: 'tool-call', toolCallId: event.id, toolName: event.toolName, input: event.input };
          break;
        case 'finish':
          yield {
            type: 'finish',
            finishReason: mapFinishReason(event),
            usage: convertUsage(event.usage, event.timings),
            providerMetadata: createMetadata(options.info, event, tokens),
          };
          break;
      }
    }
  } catch (error) {
    if (options.signal.aborted) throw error;
    if (!started) yield { type: 'stream-start', warnings: [...options.warnings] };
    for (const [id, { end }] of open) yield { type: end, id };
    yield { type: 'error', error: mapError(error, options.info.id) };
    yield {
      type: 'finish',
      finishReason: { unified: 'error', raw: undefined },
      usage: createNullLanguageModelUsage(),
    };
  }
}

import type { ChatModelStreamEvent } from '@langchain/core/language_models/event';
import type { GenerateEvent } from '../../src/events.ts';
import { toInvalidCall, toToolCall } from './answer.ts';
import type { Answer } from './answer.ts';
import { convertUsage, createResponseMetadata, mapFinishReason } from './response-metadata.ts';

/** Events (already pushed into `answer`) to LangChain's, one for one; block indices count from 0. */
export async function* toEvents(
  events: AsyncIterable<GenerateEvent>,
  answer: Answer,
): AsyncGenerator<ChatModelStreamEvent, void, undefined> {
  let ended: string | undefined;
  for await (const event of events) {
    const index = answer.blockIndex;
    if (ended !== undefined) {
      // Only what follows the end of an input tells whether it is a call.
      const call = answer.call(ended);
      if (call !== undefined) {
        const content = call.isComplete ? toToolCall(call) : toInvalidCall(call);
        yield { event: 'content-block-finish', index: call.index, content };
      }
      ended = undefined;
    }
    switch (event.type) {
      case 'start':
        yield { event: 'message-start', ...answer.idField };
        break;
      case 'text-start':
        yield { event: 'content-block-start', index, content: { type: 'text', text: '' } };
        break;
      case 'text-delta':
        yield { event: 'content-block-delta', index, delta: { type: 'text-delta', text: event.delta } };
        break;
      case 'text-end':
        yield { event: 'content-block-finish', index, content: { type: 'text', text: answer.blockText } };
        break;
      case 'reasoning-start':
        yield { event: 'content-block-start', index, content: { type: 'reasoning', reasoning: '' } };
        break;
      case 'reasoning-delta':
        yield {
          event: 'content-block-delta',
          index,
          delta: { type: 'reasoning-delta', reasoning: event.delta },
        };
        break;
      case 'reasoning-end':
        yield {
          event: 'content-block-finish',
          index,
          content: { type: 'reasoning', reasoning: answer.blockText },
        };
        break;
      case 'finish': {
        const usage = convertUsage(event.usage);
        yield { event: 'usage', usage };
        yield {
          event: 'message-finish',
          reason: mapFinishReason(event.reason),
          usage,
          responseMetadata: createResponseMetadata(answer.finished()),
        };
        break;
      }
      case 'tool-input-start':
        yield {
          event: 'content-block-start',
          index,
          content: { type: 'tool_call_chunk', id: event.id, name: event.toolName, args: '', index },
        };
        break;
      case 'tool-input-delta':
        yield { event: 'content-block-delta', index, delta: { type: 'tool-call-delta', args: event.delta } };
        break;
      case 'tool-input-end':
        ended = event.id;
        break;
      case 'prompt-logprobs':
      case 'tool-call':
        break;
    }
  }
}

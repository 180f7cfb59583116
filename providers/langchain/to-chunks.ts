import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import type { GenerateEvent } from '../../src/events.ts';
import type { Answer, CallBlock } from './answer.ts';
import { createResponseMetadata, mapFinishReason, modelProvider, usageField } from './response-metadata.ts';

/**
 * Events (already pushed into `answer`) to chunks: v0 has text in `content` and thoughts in
 * `additional_kwargs.reasoning_content`, v1 has indexed blocks. The last chunk alone carries usage and
 * metadata; `text` is the answer's only, never a thought.
 */
export async function* toChunks(
  events: AsyncIterable<GenerateEvent>,
  answer: Answer,
): AsyncGenerator<ChatGenerationChunk, void, undefined> {
  let ended: CallBlock | undefined;
  for await (const event of events) {
    if (ended !== undefined) {
      // Only what follows the end of an input tells whether it is a call.
      yield* endOfCall(ended, answer);
      ended = undefined;
    }
    switch (event.type) {
      case 'text-delta':
        yield textChunk(event.delta, answer);
        break;
      case 'reasoning-delta':
        yield reasoningChunk(event.delta, answer);
        break;
      case 'tool-input-start':
        if (answer.version === 'v0') yield callChunk(answer, event.id, '', event.toolName);
        break;
      case 'tool-input-delta':
        if (answer.version === 'v0') yield callChunk(answer, event.id, event.delta);
        break;
      case 'tool-input-end':
        ended = answer.call(event.id);
        break;
      case 'finish':
        yield lastChunk(answer);
        break;
      default:
        break;
    }
  }
}

/** In v1 core keeps the arguments of a call's first chunk only: they come together. */
function* endOfCall(call: CallBlock, answer: Answer): Generator<ChatGenerationChunk, void, undefined> {
  // Core would complete what a cut call has of its arguments and take it for a whole one.
  const cut = call.isComplete ? '' : unparsableEnd(call.input);
  if (answer.version === 'v1') yield callChunk(answer, call.id, call.input + cut, call.name);
  else if (cut !== '') yield callChunk(answer, call.id, cut);
}

function callChunk(answer: Answer, id: string, args: string, name?: string): ChatGenerationChunk {
  const index = answer.call(id)?.index ?? answer.blockIndex;
  return new ChatGenerationChunk({
    text: '',
    message: new AIMessageChunk({
      ...answer.idField,
      content: answer.version === 'v1' ? [] : '',
      tool_call_chunks: [
        { type: 'tool_call_chunk', index, args, ...(name === undefined ? {} : { id, name }) },
      ],
      response_metadata: repeatedMetadata(answer),
    }),
  });
}

/** What makes arguments unreadable wherever they end: inside a string another text than outside. */
function unparsableEnd(input: string): string {
  const isInString = (input.replaceAll(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1;
  return isInString ? String.raw`\x` : '!!';
}

function textChunk(text: string, answer: Answer): ChatGenerationChunk {
  const content = answer.version === 'v1' ? [{ type: 'text', text, index: answer.blockIndex }] : text;
  return new ChatGenerationChunk({
    text,
    message: new AIMessageChunk({
      ...answer.idField,
      content,
      response_metadata: repeatedMetadata(answer),
    }),
  });
}

function reasoningChunk(reasoning: string, answer: Answer): ChatGenerationChunk {
  const repeated = { ...answer.idField, response_metadata: repeatedMetadata(answer) };
  return new ChatGenerationChunk({
    text: '',
    message: new AIMessageChunk(
      answer.version === 'v1'
        ? { content: [{ type: 'reasoning', reasoning, index: answer.blockIndex }], ...repeated }
        : { content: '', additional_kwargs: { reasoning_content: reasoning }, ...repeated },
    ),
  });
}

function lastChunk(answer: Answer): ChatGenerationChunk {
  const finished = answer.finished();
  return new ChatGenerationChunk({
    text: '',
    generationInfo: { finish_reason: mapFinishReason(finished.finish.reason) },
    message: new AIMessageChunk({
      ...answer.idField,
      content: answer.version === 'v1' ? [] : '',
      ...usageField(finished.finish.usage),
      response_metadata: { ...createResponseMetadata(finished), ...repeatedMetadata(answer) },
    }),
  });
}

/** The two keys of which core keeps the last instead of joining them. */
function repeatedMetadata(answer: Answer): Record<string, string> {
  return {
    model_provider: modelProvider,
    ...(answer.version === 'v1' ? { output_version: 'v1' } : {}),
  };
}

import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import type { GenerateEvent } from '../../src/events.ts';
import type { Answer } from './answer.ts';
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
  for await (const event of events) {
    if (event.type === 'text-delta') yield textChunk(event.delta, answer);
    else if (event.type === 'reasoning-delta') yield reasoningChunk(event.delta, answer);
    else if (event.type === 'finish') yield lastChunk(answer);
  }
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

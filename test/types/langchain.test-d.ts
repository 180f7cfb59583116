import type { AIMessageChunk } from '@langchain/core/messages';
import { expectTypeOf, test } from 'vitest';
import { ChatLocal } from '../../providers/langchain/index.ts';
import type { ChatLocalInput } from '../../providers/langchain/index.ts';
import type { Model } from '../../src/model.ts';

test('the constructor', () => {
  expectTypeOf(ChatLocal).toBeConstructibleWith('x.gguf');
  expectTypeOf(ChatLocal).toBeConstructibleWith('x.gguf', { temperature: 0 });
  expectTypeOf(ChatLocal).toBeConstructibleWith({ model: 'x.gguf', maxTokens: 5, contextLength: 512 });
  expectTypeOf<ChatLocalInput['model']>().toEqualTypeOf<string | Model>();
  // @ts-expect-error the model is missing
  expectTypeOf(new ChatLocal({ temperature: 0 })).toEqualTypeOf<ChatLocal>();
});

test('the results', () => {
  const model = new ChatLocal('x.gguf');
  expectTypeOf(model.invoke).returns.resolves.toEqualTypeOf<AIMessageChunk>();
  expectTypeOf(model.getNumTokens).returns.resolves.toEqualTypeOf<number>();
});

import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { ModelAbortError } from '@langchain/core/errors';
import type { ChatModelStreamEvent } from '@langchain/core/language_models/event';
import { expect, test } from 'vitest';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';

/** What LangGraph's `streamMode: 'messages'` attaches: `invoke` then streams underneath. */
class TokenHandler extends BaseCallbackHandler {
  readonly name = 'TokenHandler';
  readonly lc_prefer_streaming = true;
  readonly tokens: string[] = [];

  override handleLLMNewToken(token: string): void {
    this.tokens.push(token);
  }
}

/** What `streamEvents` of version 3 attaches: `invoke` then runs on native events underneath. */
class EventHandler extends BaseCallbackHandler {
  readonly name = 'EventHandler';
  readonly lc_prefer_chat_model_stream_events = true;
  readonly events: ChatModelStreamEvent[] = [];

  override handleChatModelStreamEvent(event: ChatModelStreamEvent): void {
    this.events.push(event);
  }
}

test('invoke under a token handler', async () => {
  const handler = new TokenHandler();
  const model = scriptedModel({ outputs: [['Hel', 'lo']] });
  const message = await new ChatLocal(model).invoke('x', { callbacks: [handler] });
  expect(message.text).toBe('Hello');
  expect(handler.tokens).toEqual(['Hel', 'lo', '']);
  expect(message.response_metadata).toMatchObject({ model: 'scripted', finish_reason: 'stop' });
});

test('invoke under an event handler', async () => {
  const handler = new EventHandler();
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'hm', '</think>', 'Hello']],
  });
  const message = await new ChatLocal(model).invoke('x', { callbacks: [handler] });
  expect(message.text).toBe('Hello');
  expect(message.content).toEqual([
    { type: 'reasoning', reasoning: 'hm' },
    { type: 'text', text: 'Hello' },
  ]);
  expect(handler.events.map(({ event }) => event)).toContain('message-finish');
  expect(message.response_metadata).toMatchObject({ finish_reason: 'stop', model: 'scripted' });
});

test.each([new TokenHandler(), new EventHandler()])(
  'an abort under $name is a ModelAbortError with what was said',
  async (handler) => {
    const model = scriptedModel({ outputs: [['Hel', 'lo']], delayMs: 300 });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 450);
    const error: unknown = await new ChatLocal(model)
      .invoke('x', { callbacks: [handler], signal: abort.signal })
      .catch((reason: unknown) => reason);
    if (!ModelAbortError.isInstance(error)) throw error;
    expect(error.partialOutput?.text).toBe('Hel');
    expect(model.requests).toMatchObject([{ state: 'left' }]);
  },
);

test('the older stream of run events', async () => {
  const model = scriptedModel({ outputs: [['Hel', 'lo']] });
  const events = await collect(new ChatLocal(model).streamEvents('x', { version: 'v2' }));
  expect(events.map(({ event }) => event)).toEqual([
    'on_chat_model_start',
    'on_chat_model_stream',
    'on_chat_model_stream',
    'on_chat_model_stream',
    'on_chat_model_end',
  ]);
});

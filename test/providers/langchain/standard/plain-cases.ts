import { InMemoryCache } from '@langchain/core/caches';
import { AIMessage, getBufferString, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { expect } from 'vitest';
import { adder, expectText, expectUsage, joined } from './standard-case.ts';
import type { StandardCase } from './standard-case.ts';

const toolCall = { name: 'math_addition', id: '1', args: { a: 1, b: 2 }, type: 'tool_call' } as const;

/** Those that need nothing, and those that need the history of a conversation. */
export const plainCases: readonly StandardCase[] = [
  {
    name: 'testInvoke',
    need: 'nothing',
    script: [['Hi', '.']],
    run: async (chat) => expectText(await chat.invoke('Hello')),
  },
  {
    name: 'testStream',
    need: 'nothing',
    script: [['Hi', '.']],
    run: async (chat) => {
      let characters = 0;
      for await (const chunk of await chat.stream('Hello')) characters += chunk.text.length;
      expect(characters).toBeGreaterThan(0);
    },
  },
  {
    name: 'testBatch',
    need: 'nothing',
    script: [['Hi.'], ['Hey.']],
    run: async (chat) => {
      const messages = await chat.batch(['Hello', 'Hey']);
      expect(messages).toHaveLength(2);
      for (const message of messages) expectText(message);
    },
  },
  {
    name: 'testConversation',
    need: 'nothing',
    script: [['I am well.']],
    run: async (chat) =>
      expectText(
        await chat.invoke([
          new HumanMessage('hello'),
          new AIMessage('hello'),
          new HumanMessage('how are you'),
        ]),
      ),
  },
  {
    name: 'testDoubleMessageConversation',
    need: 'nothing',
    script: [['Fine.']],
    run: async (chat) =>
      expectText(
        await chat.invoke([
          new HumanMessage('hello'),
          new HumanMessage('hello'),
          new AIMessage('hello'),
          new AIMessage('hello'),
          new HumanMessage('how are you'),
          new HumanMessage('how are you doing'),
        ]),
      ),
  },
  {
    name: 'testUsageMetadata',
    need: 'nothing',
    script: [['Hi.']],
    run: async (chat) => {
      const message = await chat.invoke('Hello');
      expectUsage(message);
      expect(message.response_metadata['model']).toMatch(/./);
    },
  },
  {
    name: 'testUsageMetadataStreaming',
    need: 'nothing',
    script: [['Hi', '.']],
    run: async (chat) => expectUsage(await joined(await chat.stream('Hello'))),
  },
  {
    name: 'testStopSequence',
    need: 'nothing',
    script: [['1 2', ' 3'], ['1 2', ' 3'], ['1']],
    run: async (chat) => {
      const question = 'Count from 1 to 9 with spaces between.';
      const full = await chat.invoke(question, { maxTokens: 8 });
      const stop = full.text.trim().at(-1) ?? 'x';
      const cut = await chat.invoke(question, { maxTokens: 8, stop: [stop] });
      expect(cut.text).not.toContain(stop);
      expect(cut.response_metadata).toMatchObject({ raw_finish_reason: 'stop-sequence' });
      const other = await chat.invoke(question, { maxTokens: 8, stop: ['never said'] });
      expect(other.text).not.toBe('');
    },
  },
  {
    name: 'testCacheComplexMessageTypes',
    need: 'nothing',
    script: [['Hi', '.']],
    run: async (chat) => {
      const cache = new InMemoryCache(new Map());
      chat.cache = cache;
      const message = new HumanMessage({ content: [{ type: 'text', text: 'Hello there!' }] });
      await chat.invoke([message]);
      const second = await chat.invoke([message]);
      const key = chat._getSerializedCacheKeyParametersForCall({});
      const [cached] = (await cache.lookup(getBufferString([message]), key)) ?? [];
      expect(cached?.text).toBe(second.text);
    },
  },
  {
    name: 'testStandardTextContentBlocks',
    need: 'nothing',
    script: [['Hi', '.']],
    run: async (chat) =>
      expectText(
        await chat.invoke([
          new HumanMessage({ content: [{ type: 'text', source_type: 'text', text: 'Say hello.' }] }),
        ]),
      ),
  },
  ...(['image', 'audio', 'file'] as const).map((type): StandardCase => ({
    name: `testStandard${type[0]?.toUpperCase()}${type.slice(1)}ContentBlocks`,
    need: 'nothing',
    script: [],
    // No model here has the capability: what the standard tests skip must be a clear refusal.
    run: async (chat) => {
      const block = { type, source_type: 'base64', mime_type: 'x/y', data: 'AAAA' };
      const failure = chat.invoke([new HumanMessage({ content: [block] })]);
      await expect(failure).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { block: type } });
    },
  })),
  {
    name: 'testToolMessageHistoriesStringContent',
    need: 'history',
    script: [['It is 3.']],
    run: async (chat) =>
      expectText(
        await chat
          .bindTools([adder], { tool_choice: 'none' })
          .invoke([
            new HumanMessage('What is 1 + 2'),
            new AIMessage({ content: '', tool_calls: [toolCall] }),
            new ToolMessage({ content: '3', tool_call_id: '1', name: 'math_addition' }),
          ]),
      ),
  },
  {
    name: 'testToolMessageHistoriesListContent',
    need: 'history',
    script: [['It is 3.']],
    run: async (chat) =>
      expectText(
        await chat.bindTools([adder], { tool_choice: 'none' }).invoke([
          new HumanMessage('What is 1 + 2'),
          new AIMessage({
            content: [
              { type: 'text', text: 'some text' },
              { type: 'tool_use', id: '1', name: 'math_addition', input: { a: 1, b: 2 } },
            ],
            tool_calls: [toolCall],
          }),
          new ToolMessage({ content: '3', tool_call_id: '1', name: 'math_addition' }),
        ]),
      ),
  },
  {
    name: 'testStructuredFewShotExamples',
    need: 'history',
    script: [['It is 9.']],
    run: async (chat) =>
      expectText(
        await chat
          .bindTools([adder], { tool_choice: 'none' })
          .invoke([
            new HumanMessage('What is 1 + 2'),
            new AIMessage({ content: '', tool_calls: [toolCall] }),
            new ToolMessage({ content: '3', tool_call_id: '1', name: 'math_addition' }),
            new AIMessage('3'),
            new HumanMessage('What is 4 + 5'),
          ]),
      ),
  },
];

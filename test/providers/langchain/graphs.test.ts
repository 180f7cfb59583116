import { InMemoryChatMessageHistory } from '@langchain/core/chat_history';
import { ModelAbortError } from '@langchain/core/errors';
import { HumanMessage } from '@langchain/core/messages';
import type { BaseMessage } from '@langchain/core/messages';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { RunnableWithMessageHistory } from '@langchain/core/runnables';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { adder, call } from './standard/standard-case.ts';

const add = call('math_addition', { a: 1, b: 2 });

/** Two nodes that run at once and ask the same instance. */
function twoBranches(left: ChatLocal, right = left, leftSignal?: AbortSignal) {
  const state = Annotation.Root({ left: Annotation<string>, right: Annotation<string> });
  return new StateGraph(state)
    .addNode('first', async (_state, config) => {
      const signals = [config.signal, leftSignal].filter((signal) => signal !== undefined);
      const answer = left.invoke('left', { ...config, signal: AbortSignal.any(signals) });
      return { left: await answer.then(({ text }) => text, String) };
    })
    .addNode('second', async (_state, config) => ({ right: (await right.invoke('right', config)).text }))
    .addEdge(START, 'first')
    .addEdge(START, 'second')
    .addEdge('first', END)
    .addEdge('second', END)
    .compile();
}

test('parallel branches on one instance, streamed as messages and as values', async () => {
  const outputs = [
    ['a', 'b'],
    ['a', 'b'],
  ];
  for (const streamMode of ['messages', 'values'] as const) {
    const model = scriptedModel({ outputs, delayMs: 5 });
    const parts: unknown[] = [];
    for await (const part of await twoBranches(new ChatLocal(model)).stream({}, { streamMode })) {
      parts.push(part);
    }
    if (streamMode === 'values') {
      expect(parts.at(-1)).toEqual({ left: 'ab', right: 'ab' });
    } else {
      const messages = parts as [BaseMessage, { langgraph_node: string }][];
      for (const node of ['first', 'second']) {
        const own = messages.filter(([, metadata]) => metadata.langgraph_node === node);
        expect(own.map(([{ text }]) => text).join('')).toBe('ab');
        expect(new Set(own.map(([{ id }]) => id)).size).toBe(1);
      }
    }
  }
});

test('an abort of one branch leaves the other', async () => {
  const model = scriptedModel({
    outputs: [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
    delayMs: 30,
  });
  const abort = new AbortController();
  const result = twoBranches(new ChatLocal(model), undefined, abort.signal).invoke({});
  await expect.poll(() => model.requests.length).toBe(2);
  abort.abort(new Error('enough'));
  const { left, right } = await result;
  expect(left).toContain(ModelAbortError.name);
  expect(right).toBe('abc');
  expect(model.requests.map(({ state }) => state).toSorted()).toEqual(['finished', 'left']);
});

test('a loop by hand with tools', async () => {
  const model = scriptedModel({ outputs: [[add], ['It is 3.']], contextLength: 100_000 });
  const bound = new ChatLocal(model).bindTools([adder]);
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('model', async ({ messages }) => ({ messages: [await bound.invoke(messages)] }))
    .addNode('tools', async ({ messages }) => {
      const { tool_calls: calls = [] } = messages.at(-1) as {
        tool_calls?: { name: string; args: never; id?: string }[];
      };
      return {
        messages: await Promise.all(
          calls.map(async (one) => adder.invoke({ ...one, type: 'tool_call' } as never)),
        ),
      };
    })
    .addEdge(START, 'model')
    .addConditionalEdges('model', ({ messages }) =>
      (messages.at(-1) as { tool_calls?: unknown[] }).tool_calls?.length ? 'tools' : END,
    )
    .addEdge('tools', 'model')
    .compile();
  const { messages } = await graph.invoke({ messages: [new HumanMessage('1 + 2?')] });
  expect(messages.map(({ text }) => text)).toEqual(['1 + 2?', '', '3', 'It is 3.']);
});

test('createReactAgent with a response format', async () => {
  const model = scriptedModel({
    outputs: [[add], ['It is 3.'], [call('extract', { sum: 3 })]],
    contextLength: 100_000,
  });
  const agent = createReactAgent({
    llm: new ChatLocal(model),
    tools: [adder],
    responseFormat: z.object({ sum: z.number() }),
  });
  const result = await agent.invoke({ messages: [new HumanMessage('1 + 2?')] });
  expect(result.structuredResponse).toEqual({ sum: 3 });
});

test('a bound model goes into createReactAgent as well', async () => {
  const model = scriptedModel({ outputs: [['Hi.']], contextLength: 100_000 });
  const llm = new ChatLocal(model).bindTools([adder]);
  const agent = createReactAgent({ llm: llm as never, tools: [adder] });
  expect((await agent.invoke({ messages: [new HumanMessage('Hi')] })).messages.at(-1)?.text).toBe('Hi.');
});

test('fallbacks', async () => {
  const broken = scriptedModel({ outputs: [[new Error('It broke.')]] });
  const working = scriptedModel({ outputs: [['Fine.']] });
  const chat = new ChatLocal(broken).withFallbacks([new ChatLocal(working)]);
  expect((await chat.invoke('x')).text).toBe('Fine.');
});

test('a history of messages', async () => {
  const model = scriptedModel({ outputs: [['Hi Ann.'], ['Ann.']] });
  const histories = new Map<string, InMemoryChatMessageHistory>();
  const prompt = ChatPromptTemplate.fromMessages([new MessagesPlaceholder('history'), ['human', '{input}']]);
  const chain = new RunnableWithMessageHistory({
    runnable: prompt.pipe(new ChatLocal(model)),
    getMessageHistory: (id: string) => {
      const history = histories.get(id) ?? new InMemoryChatMessageHistory();
      histories.set(id, history);
      return history;
    },
    inputMessagesKey: 'input',
    historyMessagesKey: 'history',
  });
  const config = { configurable: { sessionId: '1' } };
  await chain.invoke({ input: 'I am Ann.' }, config);
  await chain.invoke({ input: 'Who am I?' }, config);
  expect(model.requests[1]?.prompt).toContain(
    'I am Ann.<|im_end|>\n<|im_start|>assistant\nHi Ann.<|im_end|>',
  );
});

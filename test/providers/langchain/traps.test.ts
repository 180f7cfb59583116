import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { InMemoryCache } from '@langchain/core/caches';
import { AIMessage, HumanMessage, SystemMessage } from '@langchain/core/messages';
import type { BaseMessage } from '@langchain/core/messages';
import { createAgent, toolStrategy } from 'langchain';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { mayCache } from '../../../providers/langchain/cached-answers.ts';
import { scriptedModel } from '../../../src/testing.ts';
import type { ScriptedModel, ScriptedPiece } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';
import { adder, call, joined } from './standard/standard-case.ts';

/** What integrations of other models got wrong, one by one (numbers as in the list of traps). */
const add = call('math_addition', { a: 1, b: 2 });

function say(...outputs: readonly (readonly ScriptedPiece[])[]): ScriptedModel {
  return scriptedModel({ outputs, contextLength: 100_000 });
}

test('T1 calls survive on events, with text before them', async () => {
  const agent = createAgent({ model: new ChatLocal(say(['I add. ', add], ['3'])), tools: [adder] });
  const run = await agent.streamEvents({ messages: [new HumanMessage('1 + 2?')] }, { version: 'v3' });
  const { messages } = (await run.output) as { messages: BaseMessage[] };
  expect(messages.map(({ type }) => type)).toEqual(['human', 'ai', 'tool', 'ai']);
});

test('T2 cut arguments are no valid call', async () => {
  // Inside a string and outside of one: core would repair either.
  for (const cut of [
    '{"name": "math_addition", "arguments": {"a": 1, "b": "un',
    '{"name": "math_addition", "arguments": {"a": 1',
  ]) {
    const pieces = ['<tool_call>\n', cut, ' more'];
    for (const outputVersion of ['v0', 'v1'] as const) {
      const bound = (): ReturnType<ChatLocal['bindTools']> =>
        new ChatLocal({ model: say(pieces), maxTokens: 2, outputVersion }).bindTools([adder]);
      for (const message of [await bound().invoke('x'), await joined(await bound().stream('x'))]) {
        expect(message.tool_calls).toEqual([]);
        expect(message.invalid_tool_calls).toMatchObject([{ name: 'math_addition' }]);
        expect(message.response_metadata).toMatchObject({ finish_reason: 'length' });
      }
    }
  }
});

test('T3 every call has an id of its own, on its first chunk, and a name', async () => {
  const bound = new ChatLocal(say([add, '\n', add])).bindTools([adder]);
  const chunks = await collect(await bound.stream('x'));
  const firsts = new Map<number | undefined, object>();
  for (const part of chunks.flatMap((chunk) => chunk.tool_call_chunks ?? [])) {
    if (!firsts.has(part.index)) firsts.set(part.index, part);
  }
  expect([...firsts.values()]).toMatchObject([
    { id: expect.stringMatching(/./), name: 'math_addition' },
    { id: expect.stringMatching(/./), name: 'math_addition' },
  ]);
  const whole = chunks.reduce((left, right) => left.concat(right));
  expect(new Set((whole.tool_calls ?? []).map(({ id }) => id)).size).toBe(2);
  expect(whole.invalid_tool_calls).toEqual([]);
});

test('T4 metadata of chunks is neither doubled nor added up', async () => {
  const invoked = await new ChatLocal(say(['a', 'b', 'c'])).invoke('x');
  const streamed = await joined(await new ChatLocal(say(['a', 'b', 'c'])).stream('x'));
  const { timings: _invoked, tokenUsage: _usage, ...expected } = invoked.response_metadata;
  const { timings, ...found } = streamed.response_metadata;
  expect(found).toEqual(expected);
  expect(timings).toHaveProperty('prefillMs');
  expect(streamed.usage_metadata).toEqual(invoked.usage_metadata);
});

test('T5 disableStreaming is applied', async () => {
  const chat = new ChatLocal({ model: say(['a', 'b']), disableStreaming: true });
  expect(await collect(await chat.stream('x'))).toHaveLength(1);
});

describe('T6 the cache', () => {
  const image = (data: string): HumanMessage =>
    new HumanMessage({ content: [{ type: 'image', data, mimeType: 'image/png' }] });

  test('is not asked about images, whose key would be one word', () => {
    expect(
      mayCache([new HumanMessage('x'), new SystemMessage({ content: [{ type: 'text', text: 'y' }] })]),
    ).toBe(true);
    expect(mayCache([image('AA==')])).toBe(false);
  });

  test('a stored answer to another image is not the answer to this one', async () => {
    const cache = new InMemoryCache(new Map());
    const chat = new ChatLocal({ model: say(['a']), cache });
    const key = chat._getSerializedCacheKeyParametersForCall({});
    await cache.update('Human: [image]', key, [{ text: 'a cat' }]);
    await expect(chat.invoke([image('AAAA')])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('hits under an agent, whose tasks differ, and leaves the first answer as it was', async () => {
    const model = say(['Hi.']);
    const chat = new ChatLocal({ model, cache: new InMemoryCache(new Map()) });
    const agent = createAgent({ model: chat, tools: [adder] });
    const first = await agent.invoke({ messages: [new HumanMessage('Hello')] });
    const usage = (first.messages.at(-1) as AIMessage).usage_metadata;
    expect(usage).toMatchObject({ output_tokens: 1 });
    const second = await agent.invoke({ messages: [new HumanMessage('Hello')] });
    expect(second.messages.at(-1)).toMatchObject({ text: 'Hi.', usage_metadata: { output_tokens: 0 } });
    expect(model.requests).toHaveLength(1);
    const hit = await agent.invoke({ messages: [new HumanMessage('Hello')] });
    expect(hit.messages.at(-1)).not.toBe(second.messages.at(-1));
    expect((first.messages.at(-1) as AIMessage).usage_metadata).toMatchObject({ output_tokens: 1 });
  });

  test('tells formats, tools and seeds apart', () => {
    const chat = new ChatLocal({ model: say() });
    const key = (options: Parameters<typeof chat._getSerializedCacheKeyParametersForCall>[0]): string =>
      chat._getSerializedCacheKeyParametersForCall(options);
    const keys = [
      key({}),
      key({ seed: 1 }),
      key({ tools: [adder] }),
      key({ tools: [adder], tool_choice: 'any' }),
      key({ tools: [adder], parallel_tool_calls: false }),
      key({ response_format: { type: 'json_object' } }),
      key({ response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } }),
      key({ grammar: { regex: 'a+' } }),
      key({ outputVersion: 'v1' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ tags: ['x'], metadata: { y: 1 }, runName: 'z' } as never)).toBe(key({}));
  });
});

test('T7 the system message of an agent is an array of blocks', async () => {
  const model = say(['Hi.']);
  await createAgent({ model: new ChatLocal(model), tools: [], systemPrompt: 'Be brief.' }).invoke({
    messages: [new HumanMessage('Hello')],
  });
  expect(model.requests[0]?.prompt).toMatch(/^<\|im_start\|>system\nBe brief\.<\|im_end\|>/);
});

test('T8 the names that agents give to messages are not for the model', async () => {
  const model = say(['Hi.']);
  const named = new AIMessage({ content: 'Hello.', name: 'researcher' });
  await new ChatLocal(model).invoke([
    new HumanMessage({ content: 'x', name: 'Ann' }),
    named,
    new HumanMessage('y'),
  ]);
  expect(model.requests[0]?.prompt).not.toMatch(/researcher|Ann/);
});

test('T9 an empty list of tools is none', async () => {
  const model = say(['Hi.'], ['Hi.']);
  await new ChatLocal(model).bindTools([]).invoke('x');
  await new ChatLocal(model).invoke('x');
  expect(model.requests[0]?.prompt).toBe(model.requests[1]?.prompt);
});

test('T10 there is no public property of tools', () => {
  expect('tools' in new ChatLocal({ model: say() })).toBe(false);
});

test('T11 names with hyphens, and schemas of free-form objects', async () => {
  const schema = z.object({ data: z.record(z.string(), z.unknown()) });
  const free = { name: 'take-it', description: 'Takes anything.', schema };
  const model = say([call('take-it', { data: { any: { thing: [1, null] } } })]);
  const { tool_calls: calls } = await new ChatLocal(model).bindTools([free]).invoke('x');
  expect(calls).toMatchObject([{ name: 'take-it', args: { data: { any: { thing: [1, null] } } } }]);

  // Without a title langchain counts: extract-1, extract-2, …
  let name = '';
  const extracting = say([]);
  const agent = createAgent({
    model: new ChatLocal(extracting),
    tools: [],
    responseFormat: toolStrategy(z.object({ sum: z.number() })) as never,
  });
  await agent.invoke({ messages: [new HumanMessage('x')] }).catch(() => undefined);
  name = /extract-\d+/.exec(extracting.requests[0]?.prompt ?? '')?.[0] ?? '';
  expect(name).toMatch(/^extract-\d+$/);
});

test('T12 one instance serves many at once, as many as it is told to', async () => {
  const model = scriptedModel({ outputs: Array.from({ length: 6 }, () => ['a', 'b']), delayMs: 5 });
  const chat = new ChatLocal({ model, maxConcurrency: 2 });
  let most = 0;
  const watch = setInterval(() => {
    const running = model.requests.filter(({ state }) => state === 'running').length;
    most = Math.max(most, running);
  }, 1);
  const abort = new AbortController();
  const answers = Array.from({ length: 5 }, () => chat.invoke('x'));
  const waiting = chat.invoke('x', { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(Array(5).fill('ab'));
  clearInterval(watch);
  expect(most).toBe(2);
  // The place of the one that left is free again.
  expect((await chat.invoke('x')).text).toBe('ab');
});

test('T13 construction is synchronous and cheap', () => {
  const start = performance.now();
  for (let count = 0; count < 500; count += 1) void new ChatLocal('/nowhere/model.gguf', { temperature: 0 });
  expect(performance.now() - start).toBeLessThan(500);
});

test('T14 a model that only thinks says so: no text, the thoughts, and length', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [['<think>', 'hm', 'hm', 'hm']] });
  const chat = new ChatLocal({ model, maxTokens: 3, reasoning: { maxTokens: 2 } });
  const message = await chat.invoke('x');
  expect(message.text).toBe('');
  expect(message.additional_kwargs).toEqual({ reasoning_content: 'hmhm' });
  expect(message.response_metadata).toMatchObject({ finish_reason: 'length' });
  expect(message).toMatchObject({ usage_metadata: { output_token_details: { reasoning: 2 } } });
});

/** What LangGraph attaches to see tokens. */
class TokenHandler extends BaseCallbackHandler {
  readonly name = 'TokenHandler';
  readonly lc_prefer_streaming = true;
  readonly tokens: string[] = [];

  override handleLLMNewToken(token: string): void {
    this.tokens.push(token);
  }
}

test('thoughts are no tokens of the answer', async () => {
  const handler = new TokenHandler();
  const model = scriptedModel({
    chatTemplate: thinkTemplate,
    outputs: [['<think>', 'hm', '</think>', 'Hi.']],
  });
  await new ChatLocal(model).invoke('x', { callbacks: [handler] });
  expect(handler.tokens.join('')).toBe('Hi.');
});

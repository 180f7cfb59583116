import { InMemoryCache } from '@langchain/core/caches';
import type { AIMessageChunk } from '@langchain/core/messages';
import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import type { LLMResult } from '@langchain/core/outputs';
import { concat } from '@langchain/core/utils/stream';
import { expect, test } from 'vitest';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';
import { thinkTemplate } from '../think-template.ts';

const thoughts = ['<think>', 'six ', 'times', '</think>', '\n\n', 'It is ', '42.'];

/** What agents put beside the options of a model. */
const foreign: object = { writer: () => undefined, executionInfo: { task: 'differs' } };

async function joined(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of stream) whole = whole === undefined ? chunk : concat(whole, chunk);
  if (whole === undefined) throw new Error('no chunk');
  return whole;
}

test('invoke', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts] });
  const message = await new ChatLocal(model).invoke([
    new SystemMessage('Be brief.'),
    new HumanMessage('6 * 7?'),
  ]);
  expect(message.type).toBe('ai');
  expect(message.content).toBe('It is 42.');
  expect(message.additional_kwargs).toEqual({ reasoning_content: 'six times' });
  expect(message.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(message.response_metadata).toMatchObject({
    model: 'scripted',
    model_name: 'scripted',
    model_provider: 'rivulet',
    finish_reason: 'stop',
    raw_finish_reason: 'eos',
  });
  const input = model.requests[0]?.promptTokens ?? 0;
  expect(message.usage_metadata).toMatchObject({
    input_tokens: input,
    output_tokens: 7,
    total_tokens: input + 7,
    input_token_details: { cache_read: 0 },
  });
  expect(model.requests[0]?.prompt).toBe(
    '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n6 * 7?<|im_end|>\n<|im_start|>assistant\n',
  );
});

test('stream, v0', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts] });
  const chunks: AIMessageChunk[] = [];
  for await (const chunk of await new ChatLocal(model).stream('6 * 7?')) chunks.push(chunk);
  expect(chunks.map(({ text }) => text).filter((text) => text !== '')).toEqual(['It is ', '42.']);
  expect(chunks.filter((chunk) => chunk.usage_metadata !== undefined)).toEqual([chunks.at(-1)]);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  const whole = chunks.reduce((left, right) => concat(left, right));
  expect(whole.content).toBe('It is 42.');
  expect(whole.additional_kwargs).toEqual({ reasoning_content: 'six times' });
  expect(whole.response_metadata).toMatchObject({
    model: 'scripted',
    model_provider: 'rivulet',
    finish_reason: 'stop',
  });
  expect(whole.usage_metadata).toMatchObject({ output_tokens: 7 });
  expect(whole.contentBlocks).toEqual([
    { type: 'reasoning', reasoning: 'six times' },
    { type: 'text', text: 'It is 42.' },
  ]);
});

test('stream and invoke, v1', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts, thoughts] });
  const chat = new ChatLocal(model, { outputVersion: 'v1' });
  const streamed = await joined(await chat.stream('6 * 7?'));
  expect(streamed.content).toMatchObject([
    { type: 'reasoning', reasoning: 'six times' },
    { type: 'text', text: 'It is 42.' },
  ]);
  expect(streamed.response_metadata).toMatchObject({ output_version: 'v1', finish_reason: 'stop' });
  const invoked = await chat.invoke('6 * 7?');
  expect(invoked.content).toEqual([
    { type: 'reasoning', reasoning: 'six times' },
    { type: 'text', text: 'It is 42.' },
  ]);
  expect(invoked.text).toBe('It is 42.');
});

test('the output version of a call wins', async () => {
  const model = scriptedModel({ outputs: [['a'], ['a']] });
  const chat = new ChatLocal(model, { outputVersion: 'v1' });
  expect((await chat.invoke('x', { outputVersion: 'v0' })).content).toBe('a');
  expect((await joined(await chat.stream('x', { outputVersion: 'v0' }))).content).toBe('a');
});

test('streamEvents: native events', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts] });
  const stream = new ChatLocal(model).streamEvents('6 * 7?');
  const events = await collect(stream);
  expect(events.map(({ event }) => event)).toEqual([
    'message-start',
    'content-block-start',
    'content-block-delta',
    'content-block-delta',
    'content-block-finish',
    'content-block-start',
    'content-block-delta',
    'content-block-delta',
    'content-block-finish',
    'usage',
    'message-finish',
  ]);
  expect(events.at(4)).toEqual({
    event: 'content-block-finish',
    index: 0,
    content: { type: 'reasoning', reasoning: 'six times' },
  });
  expect(events.at(8)).toEqual({
    event: 'content-block-finish',
    index: 1,
    content: { type: 'text', text: 'It is 42.' },
  });
  expect(events.at(-1)).toMatchObject({ reason: 'stop', responseMetadata: { model: 'scripted' } });
  expect(await stream.text).toBe('It is 42.');
  expect(await stream.reasoning).toBe('six times');
  const message = await stream;
  expect(message.usage_metadata).toMatchObject({ output_tokens: 7 });
  expect(message.response_metadata).toMatchObject({ finish_reason: 'stop', raw_finish_reason: 'eos' });
});

test('batch', async () => {
  const model = scriptedModel({ outputs: [['one'], ['two'], ['three']], delayMs: 1 });
  const messages = await new ChatLocal(model).batch(['a', 'b', 'c'], { maxConcurrency: 2 });
  expect(messages.map(({ text }) => text).toSorted()).toEqual(['one', 'three', 'two']);
});

test('several prompts in one generate add up their usage', async () => {
  const model = scriptedModel({ outputs: [['a'], ['b', 'c']] });
  const result = await new ChatLocal(model).generate([[new HumanMessage('x')], [new HumanMessage('x')]]);
  const promptTokens = model.requests.reduce((sum, request) => sum + request.promptTokens, 0);
  expect(result.llmOutput).toEqual({
    tokenUsage: { promptTokens, completionTokens: 3, totalTokens: promptTokens + 3 },
  });
});

test('a chain', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts] });
  const chain = new ChatLocal(model).pipe(new StringOutputParser());
  expect((await collect(await chain.stream('6 * 7?'))).join('')).toBe('It is 42.');
});

test('callbacks: start, every token, end with usage', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [thoughts] });
  const seen: string[] = [];
  let result: LLMResult | undefined;
  const stream = await new ChatLocal(model).stream('6 * 7?', {
    callbacks: [
      {
        handleChatModelStart: () => {
          seen.push('start');
        },
        handleLLMNewToken: (token) => {
          seen.push(token);
        },
        handleLLMEnd: (output) => {
          seen.push('end');
          result = output;
        },
      },
    ],
  });
  const chunks = await collect(stream);
  expect(seen).toEqual(['start', ...chunks.map(({ text }) => text), 'end']);
  expect(result?.llmOutput?.['tokenUsage']).toMatchObject({ completionTokens: 7 });
});

test('a failure reaches the error callback', async () => {
  const failure = new Error('It broke.');
  const model = scriptedModel({
    outputs: [
      ['a', failure],
      ['b', failure],
    ],
  });
  const errors: unknown[] = [];
  const chat = new ChatLocal(model, {
    callbacks: [{ handleLLMError: (error: unknown) => void errors.push(error) }],
  });
  await expect(chat.invoke('x')).rejects.toBe(failure);
  await expect(joined(await chat.stream('x'))).rejects.toBe(failure);
  expect(errors).toEqual([failure, failure]);
  expect(model.requests).toHaveLength(2);
});

test('options: those of the call over those of the instance, foreign keys stay out', async () => {
  const model = scriptedModel({ outputs: [['a'], ['a']] });
  const chat = new ChatLocal({ model, temperature: 0.2, topK: 3, stop: ['X'], seed: 1, maxRetries: 3 });
  await chat.invoke('x', { temperature: 0, maxTokens: 1, stop: ['Y'] });
  await chat.invoke('x', { ...foreign });
  expect(model.requests[0]?.options).toMatchObject({
    temperature: 0,
    topK: 3,
    stop: ['Y'],
    seed: 1,
    maxTokens: 1,
  });
  expect(model.requests[1]?.options).toMatchObject({ temperature: 0.2, stop: ['X'] });
  expect(model.requests[1]?.options).not.toHaveProperty('writer');
  expect(model.requests[0]?.options).not.toHaveProperty('maxRetries');
});

test('an empty list of tools is no tools', async () => {
  const model = scriptedModel({ outputs: [['a']] });
  const message = await new ChatLocal(model).invoke('x', {
    tools: [],
    tool_choice: 'auto',
    response_format: { type: 'text' },
  });
  expect(message.text).toBe('a');
});

test('logprobs', async () => {
  const model = scriptedModel({ outputs: [['a', 'b']] });
  const message = await new ChatLocal(model, { logprobs: 1 }).invoke('x');
  expect(message.response_metadata).toMatchObject({
    logprobs: { content: [{ token: 'a', logprob: 0, top_logprobs: [{ token: 'a' }] }, { token: 'b' }] },
  });
});

test('token counts come from the model', async () => {
  const model = scriptedModel({ outputs: [] });
  const chat = new ChatLocal(model);
  expect(await chat.getNumTokens('Grüße')).toBe(7);
  expect(
    await chat.getNumTokens([
      { type: 'text', text: 'ab' },
      { type: 'text', text: 'c' },
    ]),
  ).toBe(3);
  const { totalCount, countPerMessage } = await chat.getNumTokensFromMessages([
    new SystemMessage('abc'),
    new HumanMessage('de'),
  ]);
  expect(countPerMessage).toEqual([3, 2]);
  expect(totalCount).toBe(
    model.countTokens({
      messages: [
        { role: 'system', content: 'abc' },
        { role: 'user', content: 'de' },
      ],
    }),
  );
});

test('the cache: one key for the same request, usage of a hit is none', async () => {
  const model = scriptedModel({ outputs: [['first'], ['second'], ['third']] });
  const cache = new InMemoryCache(new Map());
  const chat = new ChatLocal({ model, cache, temperature: 0 });
  expect((await chat.invoke('x')).text).toBe('first');
  expect((await chat.invoke('x', { ...foreign })).text).toBe('first');
  expect((await chat.invoke('x', { maxTokens: 5 })).text).toBe('second');
  expect((await chat.invoke('x', { logitBias: new Map([[1, 2]]) })).text).toBe('third');
  expect(model.requests).toHaveLength(3);
});

test('what traces get is small and plain', () => {
  const chat = new ChatLocal({
    model: scriptedModel({ outputs: [] }),
    temperature: 0.5,
    logitBias: new Map([[3, Number.NEGATIVE_INFINITY]]),
  });
  expect(chat.getLsParams({ stop: ['X'] })).toStrictEqual({
    ls_provider: 'rivulet',
    ls_model_name: 'scripted',
    ls_model_type: 'chat',
    ls_temperature: 0.5,
    ls_max_tokens: undefined,
    ls_stop: ['X'],
  });
  expect(chat.invocationParams({ maxTokens: 4 })).toEqual({
    model: 'scripted',
    temperature: 0.5,
    maxTokens: 4,
    logitBias: [[3, '-Infinity']],
  });
  expect(JSON.stringify(chat.toJSON()).length).toBeLessThan(500);
  expect(JSON.stringify(chat.lc_kwargs)).not.toContain('contextLength');
});

test('the profile', async () => {
  const model = scriptedModel({ chatTemplate: thinkTemplate, outputs: [], contextLength: 777 });
  expect(new ChatLocal(model).profile).toMatchObject({
    maxInputTokens: 777,
    reasoningOutput: true,
    toolCalling: true,
    toolChoice: true,
    structuredOutput: true,
    imageInputs: false,
  });
  expect(new ChatLocal('/nowhere/x.gguf', { contextLength: 512 }).profile.maxInputTokens).toBe(512);
  expect((await new ChatLocal(model).preload()).profile.maxInputTokens).toBe(777);
});

test('disableStreaming makes one chunk', async () => {
  const model = scriptedModel({ outputs: [['a', 'b']] });
  const chunks = await collect(await new ChatLocal({ model, disableStreaming: true }).stream('x'));
  expect(chunks.map(({ text }) => text)).toEqual(['ab']);
});

test('reasoning asked of a model that has none is said in the metadata', async () => {
  const model = scriptedModel({ outputs: [['a']] });
  const message = await new ChatLocal(model, { reasoning: 'high' }).invoke('x');
  expect(message.response_metadata).toMatchObject({
    warnings: [{ type: 'unsupported', feature: 'reasoning' }],
  });
});

import { InMemoryCache } from '@langchain/core/caches';
import { ContextOverflowError, ModelAbortError } from '@langchain/core/errors';
import { PromptTemplate } from '@langchain/core/prompts';
import { expect, test } from 'vitest';
import { LocalLLM } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';

test('invoke, stream, batch and chains', async () => {
  const outputs = Array.from({ length: 5 }, () => ['Par', 'is']);
  const model = scriptedModel({ outputs });
  const llm = new LocalLLM({ model, temperature: 0 });
  expect(await llm.invoke('The capital of France is ')).toBe('Paris');
  expect((await collect(await llm.stream('x'))).filter(Boolean)).toEqual(['Par', 'is']);
  expect(await llm.batch(['x', 'y'])).toEqual(['Paris', 'Paris']);
  expect(await PromptTemplate.fromTemplate('Of {what}: ').pipe(llm).invoke({ what: 'France' })).toBe('Paris');
  expect(model.requests[0]?.prompt).toBe('The capital of France is ');
  expect(model.requests[4]?.prompt).toBe('Of France: ');
});

test('options, those of the call over those of the instance; usage and metadata', async () => {
  const model = scriptedModel({ outputs: [['a', 'b'], ['a']] });
  const llm = new LocalLLM({ model, temperature: 0.3, seed: 1, stop: ['X'] });
  const { generations, llmOutput } = await llm.generate(['x', 'yz'], { temperature: 0, maxTokens: 2 });
  expect(generations.map(([first]) => first?.text).toSorted()).toEqual(['a', 'ab']);
  expect(llmOutput).toEqual({ tokenUsage: { promptTokens: 3, completionTokens: 3, totalTokens: 6 } });
  expect(generations[0]?.[0]?.generationInfo).toMatchObject({
    finish_reason: 'stop',
    model: 'scripted',
    usage_metadata: { input_tokens: 1 },
  });
  expect(model.requests[0]?.options).toMatchObject({ temperature: 0, seed: 1, stop: ['X'], maxTokens: 2 });
});

test('tokens reach callbacks, streamed or not', async () => {
  const llm = new LocalLLM({
    model: scriptedModel({
      outputs: [
        ['a', 'b'],
        ['a', 'b'],
      ],
    }),
  });
  for (const way of ['invoke', 'stream'] as const) {
    const tokens: string[] = [];
    const callbacks = [{ handleLLMNewToken: (token: string) => void tokens.push(token) }];
    if (way === 'invoke') await llm.invoke('x', { callbacks });
    else await collect(await llm.stream('x', { callbacks }));
    expect(tokens.join('')).toBe('ab');
  }
});

test('the middle is asked of models that can fill it', async () => {
  const llm = new LocalLLM({ model: scriptedModel({ outputs: [['a']] }) });
  await expect(llm.invoke('x', { suffix: 'y' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('an abort ends every way', async () => {
  const outputs = [
    ['a', 'b'],
    ['a', 'b'],
  ];
  const model = scriptedModel({ outputs, delayMs: 40 });
  const llm = new LocalLLM({ model });
  const invoked: unknown = await llm.invoke('x', { timeout: 60 }).catch((error: unknown) => error);
  expect(ModelAbortError.isInstance(invoked)).toBe(true);
  expect(invoked).toMatchObject({ partialOutput: { content: 'a' } });
  const streamed = llm.stream('x', { signal: AbortSignal.timeout(60) }).then(collect);
  await expect(streamed).rejects.toThrow();
  await expect.poll(() => model.requests.map(({ state }) => state)).toEqual(['left', 'left']);
  await expect(llm.invoke('x', { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  expect(model.requests).toHaveLength(2);
});

test('one failure of several prompts ends the others', async () => {
  const model = scriptedModel({ outputs: [[new Error('It broke.')], ['a', 'b']], delayMs: 30 });
  await expect(new LocalLLM({ model }).generate(['x', 'y'])).rejects.toThrow('It broke.');
  await expect.poll(() => model.requests[1]?.state).toBe('left');
});

test('a prompt that does not fit', async () => {
  const llm = new LocalLLM({ model: scriptedModel({ outputs: [['a']], contextLength: 4 }) });
  const error: unknown = await llm.invoke('too long').catch((reason: unknown) => reason);
  expect(ContextOverflowError.isInstance(error)).toBe(true);
});

test('the cache: same request, same text', async () => {
  const model = scriptedModel({ outputs: [['first'], ['second']] });
  const llm = new LocalLLM({ model, cache: new InMemoryCache(new Map()) });
  expect(await llm.invoke('x')).toBe('first');
  expect(await llm.invoke('x', { metadata: { task: 1 } })).toBe('first');
  expect(await llm.invoke('x', { seed: 1 })).toBe('second');
});

test('tokens are counted by the model, and traces are small', async () => {
  const llm = new LocalLLM({ model: scriptedModel({ outputs: [] }), seed: 1 });
  expect(await llm.getNumTokens('Grüße')).toBe(7);
  expect(llm.invocationParams({ suffix: 'y' })).toEqual({ model: 'scripted', seed: 1, suffix: 'y' });
  expect(JSON.stringify(llm.toJSON()).length).toBeLessThan(500);
});

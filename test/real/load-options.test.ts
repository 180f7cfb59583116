import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { inspectModel, loadModel } from '../../src/index.ts';
import type { GenerateEvent, Model } from '../../src/index.ts';
import { defaultModel } from '../support/default-model.ts';

describe('a vocabulary without weights', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(defaultModel, {
      vocabularyOnly: true,
      chatTemplate: '{{ messages[0].content }}!',
    });
  }, 300_000);
  afterAll(() => model?.dispose());

  it('tokenizes, counts and renders', () => {
    const ids = model.tokenize('Hello world');
    expect(model.detokenize(ids)).toBe('Hello world');
    expect(model.countTokens('Hello world')).toBe(ids.length);
    const messages = [{ role: 'user', content: 'Hi' }];
    expect(model.renderPrompt({ messages })).toBe('Hi!');
    expect(model.countTokens({ messages })).toBe(model.tokenize('Hi!').length);
    expect(model.info.engine).toBeUndefined();
  });

  it('refuses to generate, saying why', async () => {
    const events = model.complete({ prompt: 'x' })[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('vocabularyOnly'),
    });
  });
});

describe('log-probabilities', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(defaultModel, { contextLength: 512, threads: 1 });
  }, 300_000);
  afterAll(() => model?.dispose());

  it('of the prompt and of the output belong to one distribution', async () => {
    const events: GenerateEvent[] = [];
    const request = { prompt: 'The capital of France is', maxTokens: 3, temperature: 0 };
    for await (const event of model.complete({ ...request, logprobs: 2, promptLogprobs: 2 }))
      events.push(event);
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['start', 'prompt-logprobs', 'text-start']);
    const prompt = events.find((event) => event.type === 'prompt-logprobs');
    const delta = events.find((event) => event.type === 'text-delta');
    const first = delta?.tokens?.[0];
    expect(prompt?.tokens[0]?.logprob).toBeNull();
    expect(prompt?.tokens.slice(1).every(({ logprob }) => logprob !== null && logprob <= 0)).toBe(true);
    expect(first).toMatchObject({ text: ' Paris' });
    expect(first?.top[0]?.logprob).toBe(first?.logprob);
    // The same token scored as part of a prompt.
    const scored: GenerateEvent[] = [];
    const longer = { prompt: 'The capital of France is Paris', maxTokens: 0, promptLogprobs: 1 };
    for await (const event of model.complete(longer)) scored.push(event);
    const last = scored.find((event) => event.type === 'prompt-logprobs')?.tokens.at(-1);
    expect(last?.text).toBe(' Paris');
    expect(last?.logprob).toBeCloseTo(first?.logprob ?? 0, 2);
  });

  it('info tells what runs', () => {
    expect(model.info).toMatchObject({
      architecture: 'llama',
      quantization: 'Q4_1',
      contextLength: 512,
      engine: { dialect: 'native', device: 'cpu', threads: 1 },
    });
    expect(model.info.parameters).toBeGreaterThan(100e6);
  });
});

describe('impossible options', () => {
  it.each([0, -1, 1.5, 1_000_000])('a context of %s tokens', async (contextLength) => {
    await expect(loadModel(defaultModel, { contextLength })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('threads and dialects that do not exist', async () => {
    await expect(loadModel(defaultModel, { threads: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const dialect = 'swift' as 'portable';
    await expect(loadModel(defaultModel, { dialect })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('a reference that names nothing', async () => {
    await expect(loadModel('no/such/model.gguf')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    await expect(inspectModel('no/such/model.gguf')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });
});

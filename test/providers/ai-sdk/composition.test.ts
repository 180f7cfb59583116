import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModelV4Middleware } from '@ai-sdk/provider';
import {
  createProviderRegistry,
  customProvider,
  defaultEmbeddingSettingsMiddleware,
  defaultSettingsMiddleware,
  embed,
  extractJsonMiddleware,
  extractReasoningMiddleware,
  generateText,
  simulateStreamingMiddleware,
  streamText,
  wrapEmbeddingModel,
  wrapLanguageModel,
  wrapProvider,
} from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocal, local } from '../../../providers/ai-sdk/index.ts';
import type { LocalProvider } from '../../../providers/ai-sdk/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';
import { tinyLlama } from '../../support/tiny-llama.ts';
import { thinkTemplate } from '../think-template.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

const greedy = { prompt: 'Hi', temperature: 0, maxOutputTokens: 4, maxRetries: 0 } as const;

describe('a real model by its name alone', () => {
  let folder: string;
  let provider: LocalProvider;
  let expected: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rivulet-composition-'));
    await mkdir(join(folder, 'hf'));
    await writeFile(join(folder, 'tiny.gguf'), tinyLlama());
    provider = createLocal({ modelDirectory: folder, threads: 1 });
    expected = (await generateText({ model: provider('tiny.gguf'), ...greedy })).text;
  });
  afterAll(async () => {
    await local.unload();
    await rm(folder, { recursive: true });
  });

  test('a registry', async () => {
    const registry = createProviderRegistry({ local: provider });
    expect((await generateText({ model: registry.languageModel('local:tiny'), ...greedy })).text).toBe(
      expected,
    );
    expect(registry.languageModel('local:hf:org/repo:Q4')).toMatchObject({
      specificationVersion: 'v4',
      provider: 'local.chat',
      modelId: 'hf:org/repo:Q4',
    });
    expect(registry.embeddingModel('local:hf:org/repo:Q4').modelId).toBe('hf:org/repo:Q4');
    expect(registry.rerankingModel('local:hf:org/repo/x.gguf@main').modelId).toBe('hf:org/repo/x.gguf@main');
  });

  test('a custom provider, with ours for all other names', async () => {
    const custom = customProvider({
      languageModels: { fast: provider('tiny.gguf', { contextLength: 128 }) },
      fallbackProvider: provider,
    });
    expect((await generateText({ model: custom.languageModel('fast'), ...greedy })).text).toBe(expected);
    expect((await generateText({ model: custom.languageModel('tiny.gguf'), ...greedy })).text).toBe(expected);
  });

  test('the default provider: a model is a string', async () => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = provider;
    try {
      expect((await generateText({ model: 'tiny.gguf', ...greedy })).text).toBe(expected);
      const { embedding } = await embed({ model: conformanceModelPath('bert'), value: 'a brook' });
      expect(embedding.length).toBeGreaterThan(8);
    } finally {
      globalThis.AI_SDK_DEFAULT_PROVIDER = undefined;
    }
  });
});

describe('middleware', () => {
  test('default settings, own options among them; those of a call go first', async () => {
    const scripted = scriptedModel({ outputs: [['a'], ['b']] });
    const model = wrapLanguageModel({
      model: local(scripted),
      middleware: defaultSettingsMiddleware({
        settings: { temperature: 0.2, topK: 7, providerOptions: { local: { minP: 0.3, cache: false } } },
      }),
    });
    await generateText({ model, prompt: 'Hi' });
    expect(scripted.requests[0]?.options).toMatchObject({
      temperature: 0.2,
      topK: 7,
      minP: 0.3,
      cache: false,
    });
    await generateText({ model, prompt: 'Hi', temperature: 0.9, providerOptions: { local: { minP: 0.1 } } });
    expect(scripted.requests[1]?.options).toMatchObject({
      temperature: 0.9,
      topK: 7,
      minP: 0.1,
      cache: false,
    });
  });

  test('reasoning in tags of its own, streamed and not', async () => {
    const outputs = [
      ['<ponder>', 'hm', '</ponder>', 'Yes.'],
      ['<ponder>', 'hm', '</ponder>', 'Yes.'],
    ];
    const model = wrapLanguageModel({
      model: local(scriptedModel({ outputs })),
      middleware: extractReasoningMiddleware({ tagName: 'ponder' }),
    });
    const result = await generateText({ model, prompt: 'Hi' });
    expect([result.finalStep.reasoningText, result.text]).toEqual(['hm', 'Yes.']);
    const streamed = streamText({ model, prompt: 'Hi' });
    expect(await streamed.text).toBe('Yes.');
    expect((await streamed.finalStep).reasoningText).toBe('hm');
  });

  test('that looks for thoughts finds none in ours, which are told apart already', async () => {
    const model = wrapLanguageModel({
      model: local(
        scriptedModel({ chatTemplate: thinkTemplate, outputs: [['<think>', 'hm', '</think>', 'Yes.']] }),
      ),
      middleware: extractReasoningMiddleware({ tagName: 'think' }),
    });
    const result = await generateText({ model, prompt: 'Hi' });
    expect([result.finalStep.reasoningText, result.text]).toEqual(['hm', 'Yes.']);
  });

  test('JSON out of fences, simulated streams, several at once', async () => {
    const model = wrapLanguageModel({
      model: local(scriptedModel({ outputs: [['```json\n', '{"a":1}', '\n```']] })),
      middleware: [simulateStreamingMiddleware(), extractJsonMiddleware()],
    });
    expect(await streamText({ model, prompt: 'Hi' }).text).toBe('{"a":1}');
  });

  test('of our own around the stream: parts pass through, an abort too', async () => {
    const scripted = scriptedModel({ outputs: [['a', 'b', 'c', 'd', 'e', 'f']], delayMs: 20 });
    const types = new Set<string>();
    const middleware: LanguageModelV4Middleware = {
      specificationVersion: 'v4',
      transformParams: async ({ params }) => ({ ...params, seed: 5 }),
      wrapStream: async ({ doStream }) => {
        const { stream, ...rest } = await doStream();
        const seen = new TransformStream({
          transform: (part: { type: string }, controller) => {
            types.add(part.type);
            controller.enqueue(part);
          },
        });
        return { ...rest, stream: stream.pipeThrough(seen as never) };
      },
    };
    const controller = new AbortController();
    const model = wrapLanguageModel({
      model: local(scripted),
      middleware,
      modelId: 'mine',
      providerId: 'ours',
    });
    expect(model).toMatchObject({ modelId: 'mine', provider: 'ours' });
    const result = streamText({ model, prompt: 'Hi', abortSignal: controller.signal });
    for await (const delta of result.textStream) if (delta === 'b') controller.abort();
    expect(types).toContain('stream-start');
    expect(types).toContain('text-delta');
    expect(types).not.toContain('finish');
    expect(scripted.requests[0]).toMatchObject({ state: 'left', options: { seed: 5 } });
  });

  test('around a provider, and around vectors', async () => {
    const wrapped = wrapProvider({
      provider: local,
      languageModelMiddleware: defaultSettingsMiddleware({ settings: { temperature: 0.1 } }),
    });
    expect(wrapped.languageModel('x.gguf')).toMatchObject({ modelId: 'x.gguf', provider: 'local.chat' });
    const encoder = local.embeddingModel(conformanceModelPath('bert'));
    const cut = wrapEmbeddingModel({
      model: encoder,
      middleware: defaultEmbeddingSettingsMiddleware({
        settings: { providerOptions: { local: { dimensions: 4 } } },
      }),
    });
    expect((await embed({ model: cut, value: 'a brook' })).embedding).toHaveLength(4);
    await local.unload();
  });
});

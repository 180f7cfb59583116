import { InvalidArgumentError } from '@ai-sdk/provider';
import { WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { describe, expect, test } from 'vitest';
import { createLocal, local } from '../../../providers/ai-sdk/index.ts';
import type { LocalProviderSettings } from '../../../providers/ai-sdk/index.ts';
import { LocalLanguageModel } from '../../../providers/ai-sdk/local-language-model.ts';
import { readSettings, toLoadOptions } from '../../../providers/ai-sdk/local-provider-settings.ts';

/** Settings of callers without types. */
const untyped = (settings: Record<string, unknown>): LocalProviderSettings => settings as never;

describe('names', () => {
  test('two of one setting come out as one', () => {
    expect(readSettings({ cacheDirectory: '/c', maxConcurrency: 3, keepAlive: 5 })).toStrictEqual({
      cache: '/c',
      maxStreams: 3,
      keepAlive: 5,
    });
    expect(readSettings({ cache: '/c', maxStreams: 3, keepAliveMs: 5 })).toStrictEqual({
      cache: '/c',
      maxStreams: 3,
      keepAlive: 5,
    });
  });

  test.each([
    { cache: 'a', cacheDirectory: 'a' },
    { keepAlive: '5m', keepAliveMs: 300_000 },
    { maxConcurrency: 2, maxStreams: 2 },
  ] as const)('two of one setting together are refused: %j', (settings) => {
    const [name, other] = Object.keys(settings);
    expect(() => createLocal(settings)).toThrow(InvalidArgumentError);
    expect(() => createLocal(settings)).toThrow(/two names of the same; give one of them/);
    expect(() => createLocal(settings)).toThrow(name);
    expect(() => createLocal(settings)).toThrow(other);
  });

  test('of a model go over those of the provider, whichever name is used', () => {
    const provider = createLocal({ cache: '/a', keepAliveMs: 1, threads: 2 });
    expect(
      configOf(provider('x', { cacheDirectory: '/b', keepAlive: '1s', threads: undefined as never })),
    ).toEqual({
      provider: 'local.chat',
      cache: '/b',
      keepAlive: 1000,
      threads: 2,
    });
  });
});

describe('keepAlive', () => {
  test.each([
    [0, 0],
    [1500, 1500],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['forever', Infinity],
    [Infinity, Infinity],
  ] as const)('%s is %s ms', (keepAlive, keepAliveMs) => {
    expect(toLoadOptions(readSettings({ keepAlive }))).toStrictEqual({ keepAliveMs });
  });

  test.each([-1, Number.NaN, '5', '5 m', '-5m', 'five', '', 'm', true])('%s is refused', (keepAlive) => {
    expect(() => createLocal(untyped({ keepAlive }))).toThrow("such as '30s', '5m', '1h', 'forever'");
  });
});

test.each([
  { contextLength: 0 },
  { contextLength: 'long' },
  { threads: 1.5 },
  { device: 'gpu' },
  { dialect: 'onnx' },
  { cacheType: 'q5' },
  { modelDirectory: '' },
  { cacheDirectory: 7 },
  { maxConcurrency: 0 },
  { chatTemplate: false },
  { vocabularyOnly: 'yes' },
  { onProgress: 'log' },
  { keepAliveMs: -5 },
  { baseURL: 'http://localhost' },
  { signal: AbortSignal.abort() },
])('%j is refused by its name', (settings) => {
  const [name] = Object.keys(settings);
  for (const call of [
    () => createLocal(untyped(settings)),
    () => local('x.gguf', untyped(settings)),
    () => local.embeddingModel('x.gguf', untyped(settings)),
  ]) {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(
      expect.objectContaining({ argument: name, message: expect.stringContaining(name ?? '') }),
    );
  }
});

test('wrong settings of a load are a rejection', async () => {
  await expect(local.load('x.gguf', untyped({ thread: 1 }))).rejects.toThrow(InvalidArgumentError);
});

test('something that is no model is refused', () => {
  for (const model of [undefined, 7, {}]) {
    expect(() => local(model as never)).toThrow(InvalidArgumentError);
  }
});

test('every JSON setting survives serialization, time without end too', () => {
  const settings: LocalProviderSettings = {
    modelDirectory: '/models',
    cacheDirectory: '/cache',
    contextLength: 2048,
    threads: 3,
    dialect: 'portable',
    device: 'cpu',
    cacheType: 'q8_0',
    keepAlive: Infinity,
    maxConcurrency: 4,
    chatTemplate: '{{ messages }}',
    vocabularyOnly: true,
    onProgress: () => undefined,
  };
  const model = createLocal(settings)('m.gguf');
  const config = configOf(model);
  expect(config).toEqual({
    provider: 'local.chat',
    modelDirectory: '/models',
    cache: '/cache',
    contextLength: 2048,
    threads: 3,
    dialect: 'portable',
    device: 'cpu',
    cacheType: 'q8_0',
    keepAlive: 'forever',
    maxStreams: 4,
    chatTemplate: '{{ messages }}',
    vocabularyOnly: true,
  });
  const sent = JSON.parse(JSON.stringify({ modelId: model.modelId, config }));
  expect(configOf(LocalLanguageModel[WORKFLOW_DESERIALIZE](sent))).toEqual(config);
});

function configOf(model: unknown): unknown {
  if (!(model instanceof LocalLanguageModel)) throw new Error('not a LocalLanguageModel');
  return LocalLanguageModel[WORKFLOW_SERIALIZE](model).config;
}

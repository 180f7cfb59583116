import { readFile } from 'node:fs/promises';
import { NoSuchModelError } from '@ai-sdk/provider';
import { WORKFLOW_DESERIALIZE, WORKFLOW_SERIALIZE } from '@ai-sdk/provider-utils';
import { createProviderRegistry, generateText } from 'ai';
import { expect, test } from 'vitest';
import { createLocal, local, VERSION } from '../../../providers/ai-sdk/index.ts';
import { LocalLanguageModel } from '../../../providers/ai-sdk/local-language-model.ts';
import { scriptedModel } from '../../../src/testing.ts';

test('the three ways to a model', () => {
  for (const model of [local('x.gguf'), local.languageModel('x.gguf'), local.chat('x.gguf')]) {
    expect(model).toMatchObject({ specificationVersion: 'v4', provider: 'local.chat', modelId: 'x.gguf' });
  }
  expect(local.specificationVersion).toBe('v4');
});

test('a constructor call is refused', () => {
  expect(() => Reflect.construct(local, ['x.gguf'])).toThrow('without the new keyword');
});

test('kinds that do not exist yet', () => {
  expect(() => local.imageModel('x.gguf')).toThrow(NoSuchModelError);
});

test('a missing file is a NoSuchModelError with our error as its cause', async () => {
  const error: unknown = await generateText({ model: local('/nowhere/at-all.gguf'), prompt: 'Hi' }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NoSuchModelError);
  expect(error).toMatchObject({
    modelId: '/nowhere/at-all.gguf',
    modelType: 'languageModel',
    cause: { code: 'SOURCE_NOT_FOUND' },
  });
});

test('a registry finds models with colons in their names', () => {
  const registry = createProviderRegistry({ local });
  expect(registry.languageModel('local:hf:owner/repo:Q4_K_M').modelId).toBe('hf:owner/repo:Q4_K_M');
});

test('serialization keeps what is JSON and drops the rest', () => {
  const provider = createLocal({ contextLength: 512, onProgress: () => undefined });
  const model = provider('x.gguf', { threads: 2 });
  if (!(model instanceof LocalLanguageModel)) throw new Error('not a LocalLanguageModel');
  const plain = LocalLanguageModel[WORKFLOW_SERIALIZE](model);
  expect(plain).toEqual({
    modelId: 'x.gguf',
    config: { provider: 'local.chat', contextLength: 512, threads: 2 },
  });
  const copy = LocalLanguageModel[WORKFLOW_DESERIALIZE]({
    modelId: plain.modelId,
    config: { provider: 'local.chat', contextLength: 512, threads: 2 },
  });
  expect(copy).toMatchObject({ provider: 'local.chat', modelId: 'x.gguf' });

  const loaded = local(scriptedModel({ outputs: [], id: 'loaded.gguf' }));
  if (!(loaded instanceof LocalLanguageModel)) throw new Error('not a LocalLanguageModel');
  expect(LocalLanguageModel[WORKFLOW_SERIALIZE](loaded)).toEqual({
    modelId: 'loaded.gguf',
    config: { provider: 'local.chat' },
  });
});

test('the version is that of package.json', async () => {
  const url = new URL('../../../package.json', import.meta.url);
  expect(JSON.parse(await readFile(url, 'utf8'))).toMatchObject({ version: VERSION });
});

import type { LanguageModelV4, SharedV4ProviderOptions } from '@ai-sdk/provider';
import { expectTypeOf, test } from 'vitest';
import { createLocal, local } from '../../providers/ai-sdk/index.ts';
import type { EngineStatus, LocalLanguageModelOptions, LocalProvider } from '../../providers/ai-sdk/index.ts';
import type { Model } from '../../src/model.ts';

test('the provider', () => {
  expectTypeOf(local).toEqualTypeOf<LocalProvider>();
  expectTypeOf(local('x.gguf')).toEqualTypeOf<LanguageModelV4>();
  expectTypeOf(local).parameter(0).toEqualTypeOf<string | Model>();
  expectTypeOf(createLocal).returns.toEqualTypeOf<LocalProvider>();
  // @ts-expect-error a signal belongs to a call, not to a provider
  createLocal({ signal: new AbortController().signal });
});

test('the settings', () => {
  createLocal({ modelDirectory: '/models', cacheDirectory: '/cache', keepAlive: '5m', maxConcurrency: 4 });
  createLocal({ keepAlive: 'forever', device: 'auto' });
  createLocal({ keepAlive: 1000 });
  // @ts-expect-error a time has a unit that is known
  createLocal({ keepAlive: '5 minutes' });
  // @ts-expect-error no such setting
  createLocal({ baseURL: 'x' });
  expectTypeOf(local.unload).toEqualTypeOf<(model?: string) => Promise<void>>();
  expectTypeOf(local.list).returns.toEqualTypeOf<EngineStatus[]>();
});

test('the options', () => {
  expectTypeOf<LocalLanguageModelOptions['minP']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<{ local: LocalLanguageModelOptions }>().toExtend<SharedV4ProviderOptions>();
  expectTypeOf<LocalLanguageModelOptions>().not.toHaveProperty('temperature');
  expectTypeOf({
    reasoning: { maxTokens: 5 },
    grammar: { json: { type: 'object' } },
    cache: false,
    priority: 1,
    injectJsonSchema: true,
    parallelToolCalls: false,
  } as const).toExtend<LocalLanguageModelOptions>();
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateText, streamText } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocal, local } from '../../../providers/ai-sdk/index.ts';
import type { LocalLanguageModelOptions } from '../../../providers/ai-sdk/index.ts';
import { tinyLlama } from '../../support/tiny-llama.ts';

globalThis.AI_SDK_LOG_WARNINGS = false;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-concurrency-'));
  await writeFile(join(folder, 'tiny.gguf'), tinyLlama());
});
afterAll(async () => {
  await local.unload();
  await rm(folder, { recursive: true });
});

describe('one stream at once', () => {
  const model = (): ReturnType<typeof local> =>
    createLocal({ modelDirectory: folder, maxConcurrency: 1, threads: 1 })('tiny');
  const long = {
    temperature: 0,
    maxOutputTokens: 150,
    providerOptions: { local: { ignoreEos: true } },
  } as const;
  const ask = (
    prompt: string,
    more: {
      readonly abortSignal?: AbortSignal;
      readonly providerOptions?: { local: LocalLanguageModelOptions };
    } = {},
  ) => generateText({ model: model(), prompt, ...long, ...more, maxRetries: 0 });

  test('the others wait in the order in which they came, and say the same as alone', async () => {
    const alone = await ask('A');
    const order: string[] = [];
    const results = await Promise.all(
      ['A', 'B', 'C'].map(async (prompt) => {
        const result = await ask(prompt);
        order.push(prompt);
        return result;
      }),
    );
    expect(order).toEqual(['A', 'B', 'C']);
    expect(results[0]?.text).toBe(alone.text);
  });

  test('higher priority goes first', async () => {
    const order: number[] = [];
    await Promise.all(
      [0, 0, 5].map(async (priority, index) => {
        await ask(`${index}`, { providerOptions: { local: { ignoreEos: true, priority } } });
        order.push(index);
      }),
    );
    expect(order.indexOf(2)).toBeLessThan(order.indexOf(1));
  });

  test('an abort leaves the queue at once', async () => {
    const controller = new AbortController();
    const running = ask('A');
    const waiting = ask('B', { abortSignal: controller.signal });
    const begun = performance.now();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect((await running).usage.outputTokens).toBe(150);
  });

  test('a stream that nobody reads does not hold up the others', async () => {
    const controller = new AbortController();
    const abandoned = streamText({
      model: model(),
      prompt: 'A',
      ...long,
      abortSignal: controller.signal,
    });
    for await (const delta of abandoned.textStream) if (delta !== '') break;
    expect(local.list()).toMatchObject([{ options: { maxStreams: 1 } }]);
    expect((await ask('B')).usage.outputTokens).toBe(150);
    controller.abort();
  });
});

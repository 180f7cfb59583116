import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadModel } from '../../src/index.ts';
import type { GenerateEvent, Model } from '../../src/index.ts';
import { defaultModel, defaultModelPath } from '../support/default-model.ts';

let model: Model;

beforeAll(async () => {
  model = await loadModel(defaultModel, { contextLength: 2048 });
}, 300_000);
afterAll(() => model?.dispose());

const endless = { temperature: 0, ignoreEos: true } as const;
const long = Array.from({ length: 900 }, (_, index) => `word${index % 7}`).join(' ');

/** Milliseconds until a small request has its first token: the engine is free again. */
async function msUntilNextToken(): Promise<number> {
  const start = performance.now();
  for await (const event of model.complete({ prompt: 'Hello', maxTokens: 1, temperature: 0 })) {
    if (event.type === 'text-delta' || event.type === 'finish') break;
  }
  return performance.now() - start;
}

async function textOf(events: AsyncIterable<GenerateEvent>): Promise<string> {
  let text = '';
  for await (const event of events) if (event.type === 'text-delta') text += event.delta;
  return text;
}

describe("the caller's event loop", () => {
  it('is not held up while a stream runs', async () => {
    const gaps: number[] = [];
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      gaps.push(now - last - 5);
      last = now;
    }, 5);
    await textOf(model.complete({ ...endless, prompt: 'Once upon a time', maxTokens: 120 }));
    clearInterval(timer);
    const longest = Math.max(...gaps);
    console.log(`longest stall of the caller's event loop while streaming: ${longest.toFixed(1)} ms`);
    expect(gaps.length).toBeGreaterThan(20);
    // The goal is 10 ms on an idle machine; two engine threads and a test runner share two cores here.
    expect(longest).toBeLessThan(50);
  });
});

describe('abort settles', () => {
  const limitMs = 300;

  it.each([
    ['in prefill', { prompt: long, maxTokens: 1 }, 100],
    ['in decode', { prompt: 'Once upon a time', maxTokens: 2000 }, 400],
  ])('%s', async (_, request, delayMs) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const stream = textOf(model.complete({ ...endless, ...request, signal: controller.signal }));
    const settled = stream.then(
      () => 'finished',
      (error: unknown) => error,
    );
    await wait(delayMs);
    const start = performance.now();
    controller.abort(reason);
    expect(await settled).toBe(reason);
    const settledMs = performance.now() - start;
    const freeMs = await msUntilNextToken();
    console.log(
      `abort ${_}: settled after ${settledMs.toFixed(1)} ms, next token of another request after ${freeMs.toFixed(0)} ms`,
    );
    expect(settledMs).toBeLessThan(limitMs);
    expect(freeMs).toBeLessThan(limitMs + 200);
  });

  it('while loading, and the next load works', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'rivulet-abort-'));
    try {
      const path = await defaultModelPath();
      const controller = new AbortController();
      const loading = loadModel(path, { cache, signal: controller.signal }).then(
        () => 'loaded',
        (error: unknown) => error,
      );
      await wait(150);
      const start = performance.now();
      controller.abort(new Error('no model'));
      expect(await loading).toMatchObject({ message: 'no model' });
      const settledMs = performance.now() - start;
      console.log(`abort in load: settled after ${settledMs.toFixed(1)} ms`);
      expect(settledMs).toBeLessThan(limitMs);
      const again = await loadModel(path, { cache, contextLength: 256 });
      expect(await textOf(again.complete({ prompt: 'Hello', maxTokens: 2, temperature: 0 }))).not.toBe('');
      await again.dispose();
    } finally {
      rmSync(cache, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it('before anything starts', async () => {
    const signal = AbortSignal.abort(new Error('never'));
    await expect(textOf(model.complete({ prompt: 'Hello', signal }))).rejects.toThrow('never');
    await expect(loadModel('does-not-matter.gguf', { signal })).rejects.toThrow('never');
  });
});

describe('a consumer that stops reading', () => {
  it('stops the engine, and reading goes on later', async () => {
    const stream = model.complete({ ...endless, prompt: 'Count: 1, 2, 3,', maxTokens: 60 });
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    // What the stream may have unread is computed first, and earlier tests may still be cleaning up.
    let busyMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 10 && busyMs > 50; tries++) {
      const before = process.cpuUsage();
      await wait(500);
      const used = process.cpuUsage(before);
      busyMs = (used.user + used.system) / 1000;
    }
    console.log(`CPU time in 500 ms beside a stream that nobody reads: ${busyMs.toFixed(0)} ms`);
    expect(busyMs).toBeLessThanOrEqual(50);
    let tokens = 0;
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      if (next.value.type === 'finish') tokens = next.value.usage.outputTokens.total;
    }
    expect(tokens).toBe(60);
  });
});

describe('several streams', () => {
  it('take turns, and each says what it says alone', async () => {
    const prompts = ['The capital of France is', 'Water boils at', 'My favourite colour is'];
    const request = (prompt: string): Promise<string> =>
      textOf(model.complete({ prompt, maxTokens: 24, temperature: 0 }));
    const alone: string[] = [];
    for (const prompt of prompts) alone.push(await request(prompt));
    expect(await Promise.all(prompts.map(request))).toEqual(alone);
  });

  it('reuse the prefix of an earlier conversation', async () => {
    const usage = async (prompt: string): Promise<number> => {
      for await (const event of model.complete({ prompt, maxTokens: 1, temperature: 0 })) {
        if (event.type === 'finish') return event.usage.inputTokens.cacheRead;
      }
      return -1;
    };
    const beginning = `A story of ${long.slice(0, 600)}`;
    expect(await usage(`${beginning} one`)).toBeLessThan(20);
    expect(await usage(`${beginning} two`)).toBeGreaterThan(50);
  });
});

describe('bad requests', () => {
  it.each([
    [
      'a prompt longer than the context',
      { prompt: `${long} ${long}` },
      'CONTEXT_OVERFLOW',
      /2048 tokens, found 3600 tokens/,
    ],
    ['an impossible temperature', { prompt: 'x', temperature: -1 }, 'INVALID_ARGUMENT', /-1/],
    ['an empty prompt', { prompt: new Int32Array() }, 'INVALID_ARGUMENT', /prompt/],
    ['ids that are no tokens', { prompt: Int32Array.of(999_999) }, 'INVALID_ARGUMENT', /999999/],
    [
      'data that no thread can take',
      { prompt: 'x', stop: [(() => 1) as never] },
      'INVALID_ARGUMENT',
      /plain data/,
    ],
  ])('%s', async (_, request, code, message) => {
    const failed = await textOf(model.complete(request)).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'RivuletError', code });
    expect((failed as Error).message).toMatch(message);
    expect(await msUntilNextToken(), 'the next request works').toBeGreaterThan(0);
  });

  it('maxTokens beyond the context ends with the context', async () => {
    const { length } = model.tokenize(long);
    let finish: GenerateEvent | undefined;
    const prompt = model.tokenize(`${long} `).subarray(0, length);
    const fitted = Int32Array.from({ length: 2040 }, (_, index) => prompt[index % length] ?? 0);
    for await (const event of model.complete({ ...endless, prompt: fitted, maxTokens: 100_000 }))
      finish = event;
    expect(finish).toMatchObject({ type: 'finish', reason: 'length', rawReason: 'context-full' });
  });
});

describe('a disposed model', () => {
  it('ends its streams and refuses new ones', async () => {
    const other = await loadModel(defaultModel, { contextLength: 256 });
    const running = textOf(other.complete({ ...endless, prompt: 'Hello', maxTokens: 200 }));
    const outcome = running.catch((error: unknown) => error);
    await wait(100);
    await other.dispose();
    expect(await outcome).toMatchObject({ code: 'DISPOSED' });
    await expect(textOf(other.complete({ prompt: 'Hello' }))).rejects.toMatchObject({ code: 'DISPOSED' });
    await other.dispose();
  });
});

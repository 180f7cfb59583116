import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { local } from '../../../providers/ai-sdk/index.ts';
import { local as localV3 } from '../../../providers/ai-sdk/v3/index.ts';

/** Takes every request and answers none: what loads from it goes on loading. */
let server: Server;
let asked = 0;
let origin: string;
let cache: string;

beforeAll(async () => {
  server = createServer(() => {
    asked += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  origin = `http://127.0.0.1:${address.port}`;
  cache = await mkdtemp(join(tmpdir(), 'rivulet-abort-'));
  vi.stubEnv('RIVULET_CACHE', cache);
});

afterAll(async () => {
  await local.unload();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hi' }] }];

const calls: Readonly<Record<string, (reference: string, abortSignal: AbortSignal) => PromiseLike<unknown>>> =
  {
    doStream: (reference, abortSignal) => local(reference).doStream({ prompt, abortSignal }),
    doGenerate: (reference, abortSignal) => local(reference).doGenerate({ prompt, abortSignal }),
    'doStream of version 3': (reference, abortSignal) => localV3(reference).doStream({ prompt, abortSignal }),
    doEmbed: (reference, abortSignal) =>
      local.embeddingModel(reference).doEmbed({ values: ['a'], abortSignal }),
    doRerank: (reference, abortSignal) =>
      local.rerankingModel(reference).doRerank({
        query: 'a',
        documents: { type: 'text', values: ['b'] },
        abortSignal,
      }),
  };

test.each(Object.entries(calls))(
  'an abort in the load ends %s at once, by its reason',
  async (_name, call) => {
    const before = asked;
    const abort = new AbortController();
    const reason = new Error('enough');
    const pending = Promise.resolve(call(`${origin}/${before}.gguf`, abort.signal));
    const settled = pending.then(
      () => 'it did not fail',
      (error: unknown) => error,
    );
    await expect.poll(() => asked).toBeGreaterThan(before);
    const started = performance.now();
    abort.abort(reason);
    expect(await settled).toBe(reason);
    expect(performance.now() - started).toBeLessThan(300);
  },
);

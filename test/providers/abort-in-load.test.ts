import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateText } from 'ai';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { local } from '../../providers/ai-sdk/index.ts';
import { ChatLocal } from '../../providers/langchain/index.ts';

/** Accepts every request and answers none before `release`. */
let server: Server;
let held: ServerResponse[];
let reference: string;
let cache: string;

beforeEach(async () => {
  held = [];
  server = createServer((_request, response) => held.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  reference = `http://127.0.0.1:${address.port}/model.gguf`;
  cache = await mkdtemp(join(tmpdir(), 'rivulet-abort-'));
  vi.stubEnv('RIVULET_CACHE', cache);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cache, { recursive: true });
});

function release(): void {
  for (const response of held) if (!response.headersSent) response.writeHead(404).end();
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('It did not fail.'),
    (error: unknown) => error,
  );
}

test('an abort frees the waiter at once, the shared load goes on for the others', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const first = failure(generateText({ model: local(reference), prompt: 'Hi', abortSignal: abort.signal }));
  const second = failure(new ChatLocal(reference).invoke('Hi', { signal: abort.signal }));
  const third = failure(new ChatLocal(reference).invoke('Hi'));
  await expect.poll(() => held.length).toBe(1);
  const started = performance.now();
  abort.abort(reason);
  expect(await first).toBe(reason);
  expect(await second).toBe(reason);
  expect(performance.now() - started).toBeLessThan(300);
  expect(held).toHaveLength(1);
  release();
  expect(await third).toMatchObject({ details: { status: 404 } });
});

test('a failed load is tried again by the next request', async () => {
  const chat = new ChatLocal(reference);
  const first = failure(chat.invoke('Hi'));
  await expect.poll(() => held.length).toBe(1);
  release();
  await first;
  const second = failure(chat.invoke('Hi'));
  await expect.poll(() => held.length).toBe(2);
  release();
  await second;
});

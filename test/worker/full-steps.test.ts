import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { GenerateEvent } from '../../src/events.ts';
import type { Model } from '../../src/model.ts';
import { connectModel } from '../../src/worker/client.ts';
import { openTextSide } from '../../src/worker/node-text-side.ts';
import { spawnTableWorker } from '../support/spawn-table-worker.ts';
import type { TableWorker } from '../support/spawn-table-worker.ts';

const streams = 8;
const stepMs = 4;

let worker: TableWorker;
let model: Model;

beforeEach(async () => {
  worker = spawnTableWorker({ sequencesPerStep: 64, tokensPerStep: 512, pageTokens: 64, stepMs });
  model = await connectModel(worker.channel, {
    reference: 'table',
    location: 'table',
    options: {},
    textSide: openTextSide,
  });
});
afterEach(() => model.dispose());

function start(index: number, maxTokens: number): AsyncIterator<GenerateEvent> {
  const stream = model.complete({
    prompt: Int32Array.from({ length: 10 + index * 5 }, (_, position) => (index * 31 + position) % 250),
    maxTokens,
    temperature: 0.9,
    topK: 0,
    ignoreEos: true,
    logprobs: 0,
  });
  return stream[Symbol.asyncIterator]();
}

/** Reads until it has so many tokens, of which an event may have several. */
async function read(stream: AsyncIterator<GenerateEvent>, enough = Infinity): Promise<void> {
  for (let count = 0; count < enough;) {
    const { done, value } = await stream.next();
    if (done === true) return;
    if (value.type === 'text-delta') count += value.tokens?.length ?? 0;
  }
}

/** Of the steps from the first that all streams were in to the last, how many of all were so. */
function fullShare(sizes: readonly number[]): number {
  const first = sizes.indexOf(streams);
  const last = sizes.lastIndexOf(streams);
  return sizes.slice(first, last + 1).filter((size) => size === streams).length / (last + 1 - first);
}

describe('streams that are read through a thread', () => {
  test('are all in every step', async () => {
    await Promise.all(Array.from({ length: streams }, (_, index) => read(start(index, 150))));
    const sizes = worker.stepSizes();
    expect(sizes.filter((size) => size === streams).length).toBeGreaterThan(140);
    expect(fullShare(sizes)).toBeGreaterThan(0.95);
  });

  test('join the steps of others at any time', async () => {
    await Promise.all(
      Array.from({ length: streams }, async (_, index) => {
        await sleep(index * 15);
        await read(start(index, 180));
      }),
    );
    const sizes = worker.stepSizes();
    expect(fullShare(sizes)).toBeGreaterThan(0.95);
  });

  test('leave the steps when nobody reads them, and come back', async () => {
    const paused = start(0, 200);
    const other = start(1, 200);
    const others = Array.from({ length: streams - 2 }, (_, index) => read(start(index + 2, 200)));
    await Promise.all([read(paused, 30), read(other, 30)]);
    await read(other, 80);
    await Promise.all([read(paused), read(other), ...others]);
    const sizes = worker.stepSizes();
    const steady = sizes.slice(sizes.indexOf(streams), sizes.lastIndexOf(streams) + 1);
    const without = steady.filter((size) => size === streams - 1).length;
    // Each of the two streams has at most 16 tokens under way before and after the 80 that the pause takes.
    expect(without).toBeGreaterThanOrEqual(80 - 32);
    expect(without).toBeLessThanOrEqual(80 + 32);
    expect(steady.filter((size) => size < streams - 1).length).toBeLessThan(0.05 * steady.length);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import type { Engine, EngineEvent, EngineRequest } from '../../src/generate/engine.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { buildNativeGraph } from '../../src/graph/native-graph.ts';
import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import { loadNativeAddon } from '../../src/session/load-native.ts';
import { createNativeSession } from '../../src/session/native-node.ts';
import type { Session, StepItem } from '../../src/session/session.ts';
import { collectEvents } from '../support/collect-events.ts';
import { engineRequest } from '../support/engine-request.ts';
import { tinyLlama, tinyLlamaShape } from '../support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-batch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'tiny.gguf');
writeFileSync(path, tinyLlama());

interface Opened {
  readonly engine: Engine;
  readonly steps: (readonly StepItem[])[];
  /** Steps for which there was no room. */
  busy(): number;
}

async function open(cacheBudgetBytes: number): Promise<Opened> {
  const gguf = await openGguf(nodePlatform, path);
  const contextLength = tinyLlamaShape.context;
  let session: Session;
  try {
    session = await createNativeSession({
      files: [path],
      graph: await buildNativeGraph(gguf, { contextLength, signal: undefined }),
      contextLength,
      cacheType: 'f16',
      cacheBudgetBytes,
      threads: 2,
    });
  } finally {
    await closeGguf(gguf);
  }
  const step = session.step.bind(session);
  const steps: (readonly StepItem[])[] = [];
  let busy = 0;
  session.step = async (items, signal) => {
    try {
      const results = await step(items, signal);
      steps.push(items);
      return results;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'BUSY') busy += 1;
      throw error;
    }
  };
  return { engine: createScheduler(session), steps, busy: () => busy };
}

const shared = Array.from({ length: 100 }, (_, position) => (position * 41) % 250);

/** Three texts with different beginnings in common, of different lengths. */
const requests = Array.from({ length: 12 }, (_, index): EngineRequest => {
  const own = Array.from({ length: 3 + index * 4 }, (__, position) => (index * 57 + position * 13) % 250);
  return engineRequest([...shared.slice(0, 50 * (index % 3)), ...own], {
    maxTokens: 30 + 3 * index,
    temperature: index % 2,
    topK: 0,
    seed: index,
    logprobs: 3,
    ...(index % 4 === 0 ? { presencePenalty: 0.4 } : {}),
  });
});

/** Ids and probabilities, which are equal to the last bit. */
const tokensOf = (events: readonly EngineEvent[]): readonly EngineEvent[] =>
  events.filter((event) => event.type === 'token');

const roomy = 2 ** 28;
/** Keys and values of 64 positions: layers × heads × two × width × bytes of a half. */
const pageBytes =
  64 *
  tinyLlamaShape.layers *
  tinyLlamaShape.kvHeads *
  2 *
  (tinyLlamaShape.embedding / tinyLlamaShape.heads) *
  2;

// Without a build of the engine there is nothing to test.
describe.skipIf('missing' in loadNativeAddon())('requests of the native engine', () => {
  test.each([
    ['plenty of room', roomy],
    ['room for a few', undefined],
  ])('give bit for bit together what each gives alone, with %s', async (_, budget) => {
    // The longest needs four pages.
    const together = await open(budget ?? 14 * pageBytes);
    const results = await Promise.all(
      requests.map((request) => collectEvents(together.engine.generate(request))),
    );
    expect(Math.max(...together.steps.map((items) => items.length))).toBeGreaterThan(2);
    if (budget === undefined) expect(together.busy()).toBeGreaterThan(0);
    else
      expect(together.steps.filter((items) => items.length === requests.length).length).toBeGreaterThan(25);
    expect(results.some(({ cacheRead }) => cacheRead >= 50)).toBe(true);
    const again = await collectEvents(together.engine.generate(requests[5]!));
    expect(tokensOf(again.events)).toEqual(tokensOf(results[5]!.events));
    await together.engine.dispose();

    for (const [index, request] of requests.entries()) {
      const { engine } = await open(roomy);
      const alone = await collectEvents(engine.generate(request));
      await engine.dispose();
      expect(tokensOf(results[index]!.events)).toEqual(tokensOf(alone.events));
    }
  });
});

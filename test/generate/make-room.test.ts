import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { createScheduler } from '../../src/generate/scheduler.ts';
import type { StepItem } from '../../src/session/session.ts';
import { collectEvents } from '../support/collect-events.ts';
import { continuation, engineRequest, promptOf, pullUntil } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';
import type { TableSession, TableSessionOptions } from '../support/table-session.ts';

/** A session of pages of four tokens. */
const open = (pageLimit: number, options: TableSessionOptions = {}): TableSession =>
  createTableSession({ pageTokens: 4, pageLimit, tokensPerStep: 32, sequencesPerStep: 16, ...options });

const isPrompt = (item: StepItem): boolean => item.tokens.length > 1;

describe('a cache without room for a step', () => {
  test('gives up what is kept, the least recently used first', async () => {
    const session = open(12);
    const engine = createScheduler(session);
    // Three answers of 16 tokens fill all pages.
    for (const seed of [1, 2, 3])
      await collectEvents(engine.generate(engineRequest(promptOf(16, seed), { maxTokens: 1 })));
    expect(session.usedPages).toBe(12);
    const { ids, cacheRead } = await collectEvents(engine.generate(engineRequest(promptOf(8, 4))));
    expect(ids).toEqual(continuation(session, promptOf(8, 4), 8));
    expect(cacheRead).toBe(0);
    expect(session.busyCount).toBeGreaterThan(0);
    // The latest is still there.
    const again = await collectEvents(engine.generate(engineRequest(promptOf(16, 3), { maxTokens: 1 })));
    expect(again.cacheRead).toBe(15);
  });

  test('lets prompts wait while others decode, and serves them in the order of their arrival', async () => {
    const session = open(10);
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const order: number[] = [];
    const ask = async (index: number, length: number, maxTokens: number): Promise<readonly number[]> => {
      const { ids } = await collectEvents(
        engine.generate(engineRequest(promptOf(length, index), { maxTokens })),
      );
      order.push(index);
      return ids;
    };
    // 4 + 16 tokens take 5 pages at their end, so two of these fit together.
    const all = await Promise.all([0, 1, 2, 3, 4].map((index) => ask(index, 4, 17)));
    expect(all).toEqual([0, 1, 2, 3, 4].map((index) => continuation(session, promptOf(4, index), 17)));
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(session.peakPages).toBeLessThanOrEqual(10);
    expect(session.usedPages).toBe(0);
  });

  test('never stops those who decode for a prompt that does not fit', async () => {
    const session = open(10);
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const decoding = engine.generate(engineRequest(promptOf(8, 1), { maxTokens: 20 }));
    await pullUntil(decoding, 'token');
    const before = session.computed;
    const large = collectEvents(engine.generate(engineRequest(promptOf(36, 2), { maxTokens: 4 })));
    const { ids } = await collectEvents(decoding);
    expect(ids).toEqual(continuation(session, promptOf(8, 1), 20).slice(1));
    // Nothing was computed twice.
    const prompts = session.steps.flat().filter(isPrompt);
    expect((await large).ids).toEqual(continuation(session, promptOf(36, 2), 4));
    expect(prompts.length).toBeLessThanOrEqual(2);
    expect(session.computed - before).toBe(19 - 1 + 1 + 36 + 3);
  });

  test('takes the sequence of the youngest when all decode, and its output goes on as it was', async () => {
    const session = open(12);
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const sampling = { temperature: 1.4, topK: 0, seed: 3, maxTokens: 30, presencePenalty: 0.5, logprobs: 1 };
    const prompts = [0, 1, 2].map((seed) => promptOf(6, seed));
    const together = await Promise.all(
      prompts.map((prompt) => collectEvents(engine.generate(engineRequest(prompt, sampling)))),
    );
    // 3 × 35 tokens do not fit 48.
    expect(session.busyCount).toBeGreaterThan(0);
    for (const [index, prompt] of prompts.entries()) {
      const alone = await collectEvents(createScheduler(open(12)).generate(engineRequest(prompt, sampling)));
      const timeless = (events: typeof alone.events): unknown[] =>
        events.map((event) => (event.type === 'prefilled' ? { type: event.type } : event));
      expect(timeless(together[index]!.events)).toEqual(timeless(alone.events));
    }
    expect(session.usedPages).toBe(0);
  });

  test('takes first the sequence that nobody reads', async () => {
    const session = open(8);
    const engine = createScheduler(session);
    const parked = engine.generate(engineRequest(promptOf(12, 1), { maxTokens: 10 }));
    await pullUntil(parked, 'token');
    const reader = await collectEvents(engine.generate(engineRequest(promptOf(20, 2), { maxTokens: 12 })));
    expect(reader.ids).toEqual(continuation(session, promptOf(20, 2), 12));
    const rest = await collectEvents(parked);
    expect(rest.ids).toEqual(continuation(session, promptOf(12, 1), 10).slice(1));
    expect(rest.events.map((event) => event.type)).not.toContain('prefilled');
  });

  test('scores a prompt once, however often it begins again', async () => {
    const score = async (session: TableSession, crowd: boolean): Promise<unknown> => {
      const engine = createScheduler(session, { cacheBudgetBytes: 0 });
      const older = crowd ? engine.generate(engineRequest(promptOf(8, 1), { maxTokens: 20 })) : undefined;
      if (older !== undefined) await pullUntil(older, 'token');
      const scored = engine.generate(engineRequest(promptOf(30, 2), { maxTokens: 2 }, { promptLogprobs: 1 }));
      const [{ events }] = await Promise.all([
        collectEvents(scored),
        older === undefined ? undefined : collectEvents(older),
      ]);
      return events.map((event) => (event.type === 'prefilled' ? event.scores : event));
    };
    const crowded = open(9, { tokensPerStep: 8 });
    expect(await score(crowded, true)).toEqual(await score(open(9, { tokensPerStep: 8 }), false));
    expect(crowded.busyCount).toBeGreaterThan(0);
  });

  test.each([1, 16])('keeps the order of turns with %i sequences a step', async (sequencesPerStep) => {
    const session = open(9, { sequencesPerStep, tokensPerStep: 16 });
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const prompts = [0, 1, 2, 3].map((seed) => promptOf(10, seed));
    const all = await Promise.all(
      prompts.map((prompt) => collectEvents(engine.generate(engineRequest(prompt, { maxTokens: 12 })))),
    );
    expect(all.map((result) => result.ids)).toEqual(
      prompts.map((prompt) => continuation(session, prompt, 12)),
    );
  });
});

describe('a request that does not even fit alone', () => {
  test.each([
    ['its prompt', 40, 4],
    ['its output', 20, 60],
  ])('fails because of %s, and nobody else is harmed', async (_, length, maxTokens) => {
    const session = open(8);
    const engine = createScheduler(session);
    const others = [1, 2].map((seed) =>
      collectEvents(engine.generate(engineRequest(promptOf(6, seed), { maxTokens: 9 }))),
    );
    const large = collectEvents(engine.generate(engineRequest(promptOf(length, 3), { maxTokens })));
    await expect(large).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      details: { tokens: expect.any(Number) },
      cause: { code: 'BUSY' },
    });
    for (const [index, other] of others.entries()) {
      expect((await other).ids).toEqual(continuation(session, promptOf(6, index + 1), 9));
    }
    const after = await collectEvents(engine.generate(engineRequest(promptOf(6, 9))));
    expect(after.ids.length).toBe(8);
  });

  test('fails at once where nobody else is', async () => {
    const session = open(4);
    const engine = createScheduler(session);
    await expect(engine.generate(engineRequest(promptOf(17))).next()).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
    });
    expect(session.openCount).toBe(0);
    expect(session.usedPages).toBe(0);
  });
});

describe('while requests wait for room', () => {
  test('an abort frees its sequence, and the next one begins', async () => {
    const session = open(6);
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const first = engine.generate(
      engineRequest(promptOf(10, 1), { maxTokens: 14, signal: controller.signal }),
    );
    await pullUntil(first, 'token');
    const second = collectEvents(engine.generate(engineRequest(promptOf(18, 2), { maxTokens: 3 })));
    for (let count = 0; count < 3; count += 1) await first.next();
    expect(session.busyCount).toBeGreaterThan(0);
    const pull = first.next();
    controller.abort(reason);
    await expect(pull).rejects.toBe(reason);
    expect((await second).ids).toEqual(continuation(session, promptOf(18, 2), 3));
  });

  test('one that waits may be aborted', async () => {
    const session = open(6, { stepMs: 1 });
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const controller = new AbortController();
    const first = collectEvents(engine.generate(engineRequest(promptOf(10, 1), { maxTokens: 12 })));
    const second = collectEvents(
      engine.generate(engineRequest(promptOf(18, 2), { signal: controller.signal })),
    );
    setTimeout(() => controller.abort(new Error('enough')), 8);
    await expect(second).rejects.toThrow('enough');
    expect((await first).ids.length).toBe(12);
    expect(session.usedPages).toBe(0);
  });

  test('disposing ends them all', async () => {
    const session = open(6, { stepMs: 3 });
    const engine = createScheduler(session);
    const outcomes = [1, 2, 3].map((seed) =>
      collectEvents(engine.generate(engineRequest(promptOf(14, seed), { maxTokens: 9 }))).catch(
        (error: unknown) => error,
      ),
    );
    await sleep(8);
    await engine.dispose();
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'DISPOSED' });
    expect(session.disposed).toBe(true);
  });
});

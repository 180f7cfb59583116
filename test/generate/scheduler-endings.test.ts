import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { Engine, EngineEvent } from '../../src/generate/engine.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { collectEvents } from '../support/collect-events.ts';
import { continuation, engineRequest, promptOf, pullUntil } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';
import type { TableSession } from '../support/table-session.ts';

describe('a request that nobody reads', () => {
  test('costs no steps while others run', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const parked = engine.generate(engineRequest([1, 2, 3], { maxTokens: 100 }));
    await pullUntil(parked, 'token');
    const before = session.steps.length;
    await collectEvents(engine.generate(engineRequest([7, 8, 9], { maxTokens: 10 })));
    expect(session.steps.slice(before).every((items) => items.length === 1)).toBe(true);
    const rest = await collectEvents(parked);
    expect(rest.ids).toEqual(continuation(session, [1, 2, 3], 100).slice(1));
  });

  test('is freed after the limit, and says so on the next pull', async () => {
    const session = createTableSession();
    const engine = createScheduler(session, { parkLimitMs: 30 });
    const parked = engine.generate(engineRequest([1, 2, 3], { maxTokens: 100 }));
    await pullUntil(parked, 'token');
    expect(session.openCount).toBe(1);
    await sleep(80);
    expect(session.openCount).toBe(0);
    await expect(parked.next()).rejects.toMatchObject({ code: 'PARKED_TOO_LONG' });
    expect((await parked.next()).done).toBe(true);
  });

  test('soon gives its sequence to others, and goes on all the same when it is read again', async () => {
    const session = createTableSession({ pageTokens: 4, cacheBytesPerToken: 100 });
    // Room for nothing: what is kept for reuse is closed at once.
    const engine = createScheduler(session, { parkRestMs: 20, parkLimitMs: 10_000, cacheBudgetBytes: 0 });
    const parked = engine.generate(engineRequest(promptOf(10), { maxTokens: 20 }));
    const ids: number[] = [];
    const note = (event: EngineEvent): void => void (event.type === 'token' && ids.push(event.id));
    await pullUntil(parked, 'token', note);
    expect(session.openCount).toBe(1);
    await sleep(80);
    expect(session.openCount).toBe(0);
    expect(session.usedPages).toBe(0);
    ids.push(...(await collectEvents(parked)).ids);
    expect(ids).toEqual(continuation(session, promptOf(10), 20));
    expect(session.openCount).toBe(0);
  });

  test('gives it up only after a step that runs, and not when it is read by then', async () => {
    const session = createTableSession({ stepMs: 60 });
    const engine = createScheduler(session, { parkRestMs: 20, cacheBudgetBytes: 0 });
    const parked = engine.generate(engineRequest([1, 2, 3]));
    const other = engine.generate(engineRequest([7, 8, 9]));
    await Promise.all([pullUntil(parked, 'token'), pullUntil(other, 'token')]);
    const next = other.next();
    // The step of the other one began just now; the rest is due in it, and the reader comes back before its end.
    await sleep(35);
    const read = parked.next();
    await Promise.all([next, read]);
    expect(session.openCount).toBe(2);
    await Promise.all([parked.return(), other.return()]);
  });

  test.each([2 ** 40, Infinity])('may wait as long as %s ms', async (parkLimitMs) => {
    const warnings: Error[] = [];
    const listener = (warning: Error): number => warnings.push(warning);
    process.on('warning', listener);
    const session = createTableSession();
    const parked = createScheduler(session, { parkLimitMs }).generate(engineRequest([1, 2, 3]));
    await pullUntil(parked, 'token');
    await sleep(20);
    expect((await collectEvents(parked)).ids.length).toBe(7);
    process.off('warning', listener);
    // Node warns of a timer that is too long for it, and then fires it at once.
    expect(warnings).toEqual([]);
  });

  test('is not freed while it waits for a long step', async () => {
    const session = createTableSession({ stepMs: 100 });
    const engine = createScheduler(session, { parkLimitMs: 30 });
    const { ids } = await collectEvents(engine.generate(engineRequest([1, 2, 3], { maxTokens: 3 })));
    expect(ids.length).toBe(3);
  });

  test('is not freed while it is read slowly', async () => {
    const engine = createScheduler(createTableSession({ stepMs: 15 }), { parkLimitMs: 60 });
    let count = 0;
    for await (const event of engine.generate(engineRequest([1, 2, 3], { maxTokens: 8 }))) {
      if (event.type === 'token') count += 1;
      await sleep(20);
    }
    expect(count).toBe(8);
  });
});

describe('abort', () => {
  const reason = new Error('the user left');

  async function stillWorks(engine: Engine, session: TableSession): Promise<void> {
    const { ids } = await collectEvents(engine.generate(engineRequest([11, 12])));
    expect(ids).toEqual(continuation(session, [11, 12], 8));
  }

  test('before the first pull', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const stream = engine.generate(engineRequest([1], { signal: AbortSignal.abort(reason) }));
    await expect(stream.next()).rejects.toBe(reason);
    expect(session.openCount).toBe(0);
    await stillWorks(engine, session);
  });

  test('while waiting for its turn', async () => {
    const session = createTableSession({ sequencesPerStep: 1, stepMs: 10 });
    const engine = createScheduler(session, { maximumRunning: 1 });
    const running = collectEvents(engine.generate(engineRequest([1, 2], { maxTokens: 6 })));
    const controller = new AbortController();
    const waiting = engine.generate(engineRequest([3, 4], { signal: controller.signal }));
    const pull = waiting.next();
    setTimeout(() => controller.abort(reason), 15);
    await expect(pull).rejects.toBe(reason);
    expect((await running).ids.length).toBe(6);
    await stillWorks(engine, session);
  });

  test.each(['prefill', 'decode'])('in the middle of a %s step, at once', async (stage) => {
    const session = createTableSession({ stepMs: 400, tokensPerStep: 16 });
    const engine = createScheduler(session);
    const controller = new AbortController();
    const stream = engine.generate(engineRequest(promptOf(10), { signal: controller.signal }));
    if (stage === 'decode') await pullUntil(stream, 'token');
    const pull = stream.next();
    await sleep(30);
    const start = performance.now();
    controller.abort(reason);
    await expect(pull).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(200);
    expect((await stream.next()).done).toBe(true);
    // Disposing waits for the step, which the abort has stopped, too.
    await engine.dispose();
    expect(performance.now() - start).toBeLessThan(300);
  });

  test('frees the sequence once the step is over', async () => {
    const session = createTableSession({ stepMs: 40 });
    const engine = createScheduler(session, { cacheBudgetBytes: 0 });
    const controller = new AbortController();
    const pull = engine.generate(engineRequest([1, 2], { signal: controller.signal })).next();
    await sleep(10);
    controller.abort(reason);
    await expect(pull).rejects.toBe(reason);
    await sleep(5);
    expect(session.openCount).toBe(0);
  });

  test('of one in a shared step costs the others only time', async () => {
    const session = createTableSession({ stepMs: 20 });
    const engine = createScheduler(session);
    const controller = new AbortController();
    const prompts = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const outcomes = Promise.allSettled(
      prompts.map((prompt, index) =>
        collectEvents(
          engine.generate(engineRequest(prompt, index === 1 ? { signal: controller.signal } : {})),
        ),
      ),
    );
    setTimeout(() => controller.abort(reason), 50);
    const [first, second, third] = await outcomes;
    expect(second).toMatchObject({ status: 'rejected', reason });
    expect(first).toMatchObject({ value: { ids: continuation(session, [1, 2], 8) } });
    expect(third).toMatchObject({ value: { ids: continuation(session, [5, 6], 8) } });
    // They stay together, too.
    expect(session.steps.every((items) => items.length >= 2)).toBe(true);
  });

  test.each([
    ['most of a step stops it', 14, 2],
    ['a small part of a step lets it end', 1, 1],
  ])('of %s', async (_, length, calls) => {
    const session = createTableSession({ stepMs: 150 });
    const { step } = session;
    const signals: (AbortSignal | undefined)[] = [];
    session.step = (items, signal) => {
      signals.push(signal);
      return step(items, signal);
    };
    const engine = createScheduler(session);
    const controller = new AbortController();
    const aborted = engine.generate(engineRequest(promptOf(length), { signal: controller.signal })).next();
    const other = engine.generate(engineRequest([5, 6])).next();
    await sleep(40);
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect((await other).value).toMatchObject({ type: 'prefilled' });
    expect(signals.length).toBe(calls);
    expect(signals[0]?.aborted).toBe(calls === 2);
    await engine.dispose();
  });

  test('while parked, on the next pull', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const controller = new AbortController();
    const stream = engine.generate(engineRequest([1, 2], { signal: controller.signal }));
    await pullUntil(stream, 'token');
    controller.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
    await stillWorks(engine, session);
  });
});

describe('dispose', () => {
  test('ends every live request, disposes the session, and refuses new ones', async () => {
    const session = createTableSession({ stepMs: 200 });
    const engine = createScheduler(session);
    const pulled = engine.generate(engineRequest([1, 2]));
    const parked = engine.generate(engineRequest([3, 4]));
    await parked.next();
    const pull = pulled.next();
    await sleep(20);
    const disposal = engine.dispose();
    await expect(pull).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(parked.next()).rejects.toMatchObject({ code: 'DISPOSED' });
    await disposal;
    expect(session.disposed).toBe(true);
    await expect(engine.generate(engineRequest([1])).next()).rejects.toMatchObject({ code: 'DISPOSED' });
    await engine.dispose();
  });
});

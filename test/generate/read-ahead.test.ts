import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { Engine } from '../../src/generate/engine.ts';
import { nextTurn } from '../../src/generate/next-turn.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { collectEvents } from '../support/collect-events.ts';
import { continuation, engineRequest, promptOf, pullUntil } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';

const roomy = { sequencesPerStep: 64, tokensPerStep: 512 };

describe('a request that may be two events ahead of its reader', () => {
  test('begins with a pull, goes two steps further, and waits there', async () => {
    const session = createTableSession();
    const stream = createScheduler(session, { readAhead: 2 }).generate(engineRequest([1, 2, 3]));
    await sleep(5);
    expect(session.steps.length).toBe(0);
    await pullUntil(stream, 'token');
    await sleep(5);
    expect(session.steps.length).toBe(3);
    await sleep(5);
    expect(session.steps.length).toBe(3);
    await stream.next();
    await sleep(5);
    expect(session.steps.length).toBe(4);
    const { ids, rawReason } = await collectEvents(stream);
    expect(ids).toEqual(continuation(session, [1, 2, 3], 8).slice(2));
    expect(rawReason).toBe('max-tokens');
    expect(session.computed).toBe(3 + 7);
  });

  test('does nothing after its end', async () => {
    const session = createTableSession();
    const engine = createScheduler(session, { readAhead: 50 });
    const stream = engine.generate(engineRequest([1, 2, 3], { maxTokens: 5 }));
    await stream.next();
    await sleep(10);
    expect(session.computed).toBe(3 + 4);
    // The others do not wait for those who have not read their end.
    expect((await collectEvents(engine.generate(engineRequest([4])))).ids.length).toBe(8);
    expect((await collectEvents(stream)).ids).toEqual(continuation(session, [1, 2, 3], 5));
  });

  test('shares every step with others, though each reader takes a turn for each event', async () => {
    const session = createTableSession(roomy);
    const engine = createScheduler(session, { readAhead: 2 });
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        for await (const event of engine.generate(engineRequest(promptOf(9, index), { maxTokens: 50 }))) {
          if (event.type === 'token') await nextTurn();
        }
      }),
    );
    const sizes = session.steps.map((items) => items.length);
    expect(sizes.filter((size) => size === 8).length).toBeGreaterThan(0.95 * sizes.length);
  });

  test('gives what is ready before it fails', async () => {
    const session = createTableSession({ poisonId: 63 });
    const prompt = promptBefore(63, 3);
    const said = continuation(session, prompt, 3);
    const stream = createScheduler(session, { readAhead: 9 }).generate(engineRequest(prompt));
    await stream.next();
    await sleep(10);
    for (const id of said) expect((await stream.next()).value).toMatchObject({ id });
    await expect(stream.next()).rejects.toMatchObject({ code: 'WEIGHTS_NOT_FINITE' });
    expect(session.openCount).toBe(0);
  });

  test('gives nothing more once it is aborted, however far it is ahead', async () => {
    const session = createTableSession();
    const engine = createScheduler(session, { readAhead: 2 });
    const controller = new AbortController();
    const reason = new Error('the user left');
    const stream = engine.generate(engineRequest([1, 2], { signal: controller.signal }));
    await pullUntil(stream, 'token');
    await sleep(5);
    controller.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
    // What it has computed may serve others.
    expect(
      (await collectEvents(engine.generate(engineRequest([1, 2, ...continuation(session, [1, 2], 2), 5]))))
        .cacheRead,
    ).toBe(4);
  });

  test('a parked one is freed after the limit', async () => {
    const session = createTableSession();
    const parked = createScheduler(session, { readAhead: 2, parkLimitMs: 30 }).generate(
      engineRequest([1, 2]),
    );
    await pullUntil(parked, 'token');
    await sleep(80);
    expect(session.openCount).toBe(0);
    await expect(parked.next()).rejects.toMatchObject({ code: 'PARKED_TOO_LONG' });
  });

  test.each([0, 1, 2, 7])(
    'a stop after any event leaves the engine as it was (%i events ahead)',
    async (readAhead) => {
      const session = createTableSession({ ...roomy, pageTokens: 4 });
      const engine: Engine = createScheduler(session, { readAhead, cacheBudgetBytes: 0 });
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          let events = 0;
          for await (const event of engine.generate(engineRequest(promptOf(6, index), { maxTokens: 30 }))) {
            events += 1;
            if (event.type === 'end' || events > index) break;
          }
        }),
      );
      await sleep(5);
      expect(session.openCount).toBe(0);
      expect(session.usedPages).toBe(0);
      expect((await collectEvents(engine.generate(engineRequest([9])))).ids).toEqual(
        continuation(session, [9], 8),
      );
    },
  );
});

/** A prompt after which the model says an id as the so-manieth token, and not before. */
function promptBefore(id: number, place: number): number[] {
  const session = createTableSession();
  for (let first = 0; first < 60; first += 1) {
    for (let second = 0; second < 60; second += 1) {
      if (continuation(session, [first, second], place).indexOf(id) === place - 1) return [first, second];
    }
  }
  throw new Error('No prompt leads there.');
}

import { describe, expect, test } from 'vitest';

import type { Engine } from '../../src/generate/engine.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { collectEvents } from '../support/collect-events.ts';
import type { CollectedEvents } from '../support/collect-events.ts';
import { engineRequest } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';

const system = Array.from({ length: 60 }, (_, index) => (index * 11) % 59);

function generate(engine: Engine, prompt: readonly number[], maxTokens = 4): Promise<CollectedEvents> {
  return collectEvents(
    engine.generate({
      prompt: Int32Array.from(prompt),
      options: { temperature: 0, maxTokens },
      endIds: new Set(),
    }),
  );
}

describe('prefix reuse', () => {
  test('a repeated prompt computes its last token only, with the same result', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const first = await generate(engine, system, 1);
    const before = session.computed;
    const second = await generate(engine, system, 1);
    expect(second.cacheRead).toBe(59);
    expect(second.ids).toEqual(first.ids);
    expect(session.computed - before).toBe(1);
    expect(session.openCount).toBe(1);
  });

  test('a conversation goes on in its own sequence', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const { ids } = await generate(engine, system, 6);
    const before = session.computed;
    const next = [...system, ...ids, 1, 2, 3];
    const answer = await generate(engine, next, 2);
    // The last generated token was never fed.
    expect(answer.cacheRead).toBe(65);
    expect(session.computed - before).toBe(4 + 1);
    expect(session.openCount).toBe(1);
    const fresh = await generate(createScheduler(createTableSession()), next, 2);
    expect(answer.ids).toEqual(fresh.ids);
  });

  test('a short common beginning is forked off, and the long entry stays', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    await generate(engine, system);
    const other = await generate(engine, [...system.slice(0, 10), 60, 61]);
    expect(other.cacheRead).toBe(10);
    expect(session.openCount).toBe(2);
    expect((await generate(engine, system)).cacheRead).toBe(59);
  });

  test.each(['one after the other', 'at once'])(
    'a request that wants none neither takes nor leaves any, %s',
    async (way) => {
      const session = createTableSession({ tokensPerStep: 16 });
      const engine = createScheduler(session);
      const alone = engineRequest(system, { cache: false });
      const usual = engineRequest(system, {});
      if (way === 'at once') {
        const [first, second, third] = await Promise.all([
          collectEvents(engine.generate(alone)),
          collectEvents(engine.generate(usual)),
          collectEvents(engine.generate(alone)),
        ]);
        expect([first.cacheRead, second.cacheRead, third.cacheRead]).toEqual([0, 0, 0]);
        expect(first.ids).toEqual(second.ids);
      } else {
        const first = await collectEvents(engine.generate(alone));
        expect(first.cacheRead).toBe(0);
        expect(session.openCount).toBe(0);
        const second = await collectEvents(engine.generate(usual));
        expect(second.cacheRead).toBe(0);
        expect(session.openCount).toBe(1);
        expect((await collectEvents(engine.generate(alone))).cacheRead).toBe(0);
        expect(first.ids).toEqual(second.ids);
      }
      // Only what the usual one left.
      expect(session.openCount).toBe(1);
      expect((await generate(engine, system)).cacheRead).toBe(59);
    },
  );

  test('unlike beginnings share nothing', async () => {
    const engine = createScheduler(createTableSession());
    await generate(engine, system);
    expect((await generate(engine, [63, ...system])).cacheRead).toBe(0);
  });

  test('a live request gives its prefix, parked or running', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const live = engine.generate({
      prompt: Int32Array.from(system),
      options: { temperature: 0, maxTokens: 50 },
      endIds: new Set(),
    });
    await live.next();
    const forked = await generate(engine, [...system, 5]);
    expect(forked.cacheRead).toBe(60);
    const rest = await collectEvents(live);
    const alone = await generate(createScheduler(createTableSession()), system, 50);
    expect(rest.ids).toEqual(alone.ids);
  });

  test('requests that begin alike compute their common part once', async () => {
    const session = createTableSession({ tokensPerStep: 16, sequencesPerStep: 4 });
    const engine = createScheduler(session);
    const tails = [1, 2, 3, 4, 5].map((id) => system.concat(id, id));
    const results = await Promise.all(tails.map((prompt) => generate(engine, prompt, 3)));
    const [first, ...others] = results.map((result) => result.cacheRead);
    expect(first).toBe(0);
    expect(others).toEqual([60, 60, 60, 60]);
    expect(session.computed).toBe(62 + 4 * 2 + 5 * 2);
    for (const [index, prompt] of tails.entries()) {
      const alone = await generate(createScheduler(createTableSession()), prompt, 3);
      expect(results[index]!.ids).toEqual(alone.ids);
    }
  });

  test('waits for a prompt under way only while that one goes on', async () => {
    const session = createTableSession({ tokensPerStep: 4, stepMs: 1 });
    const engine = createScheduler(session);
    const controller = new AbortController();
    const leader = engine.generate({
      prompt: Int32Array.from(system),
      options: { temperature: 0, signal: controller.signal },
      endIds: new Set(),
    });
    const pull = leader.next();
    const follower = generate(engine, [...system, 7], 2);
    setTimeout(() => controller.abort(new Error('gone')), 8);
    await expect(pull).rejects.toThrow('gone');
    const { ids, cacheRead } = await follower;
    expect(ids.length).toBe(2);
    // What the leader had computed is used all the same.
    expect(cacheRead).toBeGreaterThan(0);
  });

  test('an early return keeps what was computed', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const stream = engine.generate({
      prompt: Int32Array.from(system),
      options: { temperature: 0 },
      endIds: new Set(),
    });
    await stream.next();
    await stream.return();
    expect((await generate(engine, system)).cacheRead).toBe(59);
  });
});

describe('prefix reuse with pages', () => {
  const paged = { pageTokens: 8, contextLength: 512, tokensPerStep: 64 };

  test('leaves a kept sequence whole, and computes what is new only', async () => {
    const session = createTableSession(paged);
    const engine = createScheduler(session);
    const { ids } = await generate(engine, system, 6);
    const one = await generate(engine, [...system, ...ids, 1, 2, 3], 2);
    const other = await generate(engine, [...system, ...ids, 4, 5, 6], 2);
    // The last generated token of the first answer was fed with the second prompt.
    expect([one.cacheRead, other.cacheRead]).toEqual([65, 66]);
    // The first answer lies within both of the others.
    expect(session.openCount).toBe(2);
    // What both begin with fills 8 pages; the ninth is each one's own.
    expect(session.usedPages).toBe(8 + 2);
    const fresh = await generate(createScheduler(createTableSession(paged)), [...system, ...ids, 4, 5, 6], 2);
    expect(other.ids).toEqual(fresh.ids);
  });

  test('another answer to the same prompt costs its own tokens only', async () => {
    const session = createTableSession(paged);
    const engine = createScheduler(session);
    await generate(engine, system, 20);
    const before = session.computed;
    expect((await generate(engine, system, 20)).cacheRead).toBe(59);
    expect(session.computed - before).toBe(20);
    expect(session.openCount).toBe(1);
  });

  test('many requests of one beginning hold it once', async () => {
    const session = createTableSession({ ...paged, sequencesPerStep: 16 });
    const engine = createScheduler(session);
    const prompts = Array.from({ length: 16 }, (_, index) => [...system.slice(0, 56), index, 60, 61]);
    const answers = await Promise.all(prompts.map((prompt) => generate(engine, prompt, 4)));
    expect(answers.map((answer) => answer.cacheRead).sort()).toEqual([0, ...Array(15).fill(56)]);
    // The last one of 7 shared pages is full; each has one page of its own.
    expect(session.usedPages).toBe(7 + 16);
  });

  test('pages that several kept sequences share count once in the budget', async () => {
    const pageBytes = 8 * 100;
    const session = createTableSession({ ...paged, cacheBytesPerToken: 100 });
    const engine = createScheduler(session, { cacheBudgetBytes: (7 + 3) * pageBytes });
    const ask = (id: number) => generate(engine, [...system.slice(0, 56), id, 60, 61], 1);
    for (const id of [0, 1, 2]) await ask(id);
    expect(session.openCount).toBe(3);
    expect(session.usedPages).toBe(10);
    await ask(3);
    expect(session.usedPages).toBe(10);
    const again = [];
    for (const id of [3, 2, 1, 0]) again.push((await ask(id)).cacheRead);
    expect(again).toEqual([58, 58, 58, 56]);
  });
});

describe('the cache budget', () => {
  /** Prompts of 10 tokens that share nothing; each leaves a sequence of 10 tokens. */
  const prompts = [0, 1, 2, 3].map((seed) => Array.from({ length: 10 }, (_, i) => (seed * 10 + i) % 60));

  test('closes the least recently used first', async () => {
    const session = createTableSession({ cacheBytesPerToken: 1000 });
    const engine = createScheduler(session, { cacheBudgetBytes: 30_000 });
    const [a, b, c, d] = prompts as [number[], number[], number[], number[]];
    for (const prompt of [a, b, c]) await generate(engine, prompt, 1);
    expect(session.openCount).toBe(3);
    expect((await generate(engine, a, 1)).cacheRead).toBe(9);
    await generate(engine, d, 1);
    expect(session.openCount).toBe(3);
    expect((await generate(engine, a, 1)).cacheRead).toBe(9);
    expect((await generate(engine, b, 1)).cacheRead).toBe(0);
  });

  test('counts giving a prefix away as use', async () => {
    const session = createTableSession({ cacheBytesPerToken: 1000 });
    const engine = createScheduler(session, { cacheBudgetBytes: 30_000 });
    const [a, b, c] = prompts as [number[], number[], number[]];
    await generate(engine, a, 1);
    await generate(engine, b, 1);
    // Forked off a; with c that is too much, and b has gone unused for longest.
    expect((await generate(engine, [...a.slice(0, 4), 58, 59, 58, 59, 58], 1)).cacheRead).toBe(4);
    await generate(engine, c, 1);
    expect((await generate(engine, a, 1)).cacheRead).toBe(9);
    expect((await generate(engine, b, 1)).cacheRead).toBe(0);
  });

  test('counts being computed again as use', async () => {
    const session = createTableSession({ cacheBytesPerToken: 1000 });
    const engine = createScheduler(session, { cacheBudgetBytes: 30_000 });
    const [a, b, c, d] = prompts as [number[], number[], number[], number[]];
    for (const prompt of [a, b, c]) await generate(engine, prompt, 1);
    // Scoring computes the prompt in a sequence of its own, which lies within the kept one.
    await collectEvents(
      engine.generate({
        prompt: Int32Array.from(a),
        options: { temperature: 0, maxTokens: 0 },
        endIds: new Set(),
        promptLogprobs: 0,
      }),
    );
    expect(session.openCount).toBe(3);
    await generate(engine, d, 1);
    expect((await generate(engine, a, 1)).cacheRead).toBe(9);
    expect((await generate(engine, b, 1)).cacheRead).toBe(0);
  });

  test.each([0, 9_999])('of %i bytes keeps nothing', async (cacheBudgetBytes) => {
    const session = createTableSession({ cacheBytesPerToken: 1000 });
    const engine = createScheduler(session, { cacheBudgetBytes });
    await generate(engine, prompts[0]!, 1);
    expect(session.openCount).toBe(0);
    expect((await generate(engine, prompts[0]!, 1)).cacheRead).toBe(0);
  });

  test('holds one entry for what lies within another', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    await Promise.all([generate(engine, system, 1), generate(engine, system.slice(0, 30), 0)]);
    expect(session.openCount).toBe(1);
  });

  test('bounds the number of entries where tokens take no bytes', async () => {
    const session = createTableSession({ cacheBytesPerToken: 0, vocabularySize: 1100 });
    const engine = createScheduler(session);
    for (let id = 0; id < 1100; id += 1) await generate(engine, [id, id], 1);
    expect(session.openCount).toBe(1024);
  });
});

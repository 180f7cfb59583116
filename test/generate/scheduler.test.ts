import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import type { EngineEvent } from '../../src/generate/engine.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { Metadata } from '../../src/gguf/metadata.ts';
import { selectCandidates } from '../../src/session/select-candidates.ts';
import { collectEvents } from '../support/collect-events.ts';
import { continuation, engineRequest, promptOf, pullUntil } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';

describe('one request', () => {
  test('gives prefilled, tokens and end, with the model’s own continuation', async () => {
    const session = createTableSession();
    const { events, ids } = await collectEvents(
      createScheduler(session).generate(engineRequest(promptOf(40))),
    );
    expect(ids).toEqual(continuation(session, promptOf(40), 8));
    expect(events[0]).toMatchObject({ type: 'prefilled', cacheRead: 0 });
    expect(events.at(-1)).toEqual({ type: 'end', rawReason: 'max-tokens' });
    // 40 tokens in chunks of 16, then one by one; the last one is never fed.
    expect(session.steps.map((items) => items[0]!.tokens.length)).toEqual([16, 16, 8, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('computes nothing before it is pulled, and only what is pulled', async () => {
    const session = createTableSession();
    const stream = createScheduler(session).generate(engineRequest([1, 2, 3]));
    await sleep(5);
    expect(session.steps.length).toBe(0);
    expect(session.openCount).toBe(0);
    await stream.next();
    await stream.next();
    await sleep(5);
    expect(session.steps.length).toBe(1);
    await stream.next();
    expect(session.steps.length).toBe(2);
    await stream.return();
  });

  test('ends at an end token, or goes on with ignoreEos', async () => {
    const session = createTableSession();
    const [first, second] = continuation(session, [1, 2, 3], 8);
    const endIds = new Set([second!]);
    const ended = await collectEvents(
      createScheduler(session).generate(engineRequest([1, 2, 3], {}, { endIds })),
    );
    expect(ended).toMatchObject({ ids: [first], rawReason: 'eos' });
    const ignored = await collectEvents(
      createScheduler(session).generate(engineRequest([1, 2, 3], { ignoreEos: true }, { endIds })),
    );
    expect(ignored).toMatchObject({ rawReason: 'max-tokens', ids: { length: 8 } });
  });

  test('maxTokens 0 prefills and ends', async () => {
    const session = createTableSession();
    const { events } = await collectEvents(
      createScheduler(session).generate(engineRequest(promptOf(20), { maxTokens: 0 })),
    );
    expect(events.map((event) => event.type)).toEqual(['prefilled', 'end']);
    expect(session.computed).toBe(20);
  });

  test.each([undefined, 1000])('fills the context and says so (maxTokens %s)', async (maxTokens) => {
    const session = createTableSession({ contextLength: 20 });
    const { ids, rawReason } = await collectEvents(
      createScheduler(session).generate({
        ...engineRequest(promptOf(17)),
        options: { temperature: 0, ...(maxTokens === undefined ? {} : { maxTokens }) },
      }),
    );
    expect(ids).toEqual(continuation(session, promptOf(17), 3));
    expect(rawReason).toBe('context-full');
  });

  test.each([20, 21, 300])('refuses a prompt of %i tokens for a context of 20', async (length) => {
    const session = createTableSession({ contextLength: 20 });
    const stream = createScheduler(session).generate(engineRequest(promptOf(length)));
    await expect(stream.next()).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      details: { promptTokens: length, contextLength: 20 },
      message: expect.stringMatching(new RegExp(`20 tokens.* ${length} tokens`)),
    });
    expect(session.openCount).toBe(0);
  });

  test('refuses an empty prompt, unknown ids and bad options', async () => {
    const engine = createScheduler(createTableSession());
    for (const bad of [
      engineRequest([]),
      engineRequest([64]),
      engineRequest([-1]),
      engineRequest([1], { topP: 7 }),
      engineRequest([1], { logitBias: new Map([[64, 1]]) }),
      engineRequest([1], {}, { promptLogprobs: 101 }),
    ]) {
      await expect(engine.generate(bad).next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  test('takes defaults from the file', async () => {
    const session = createTableSession();
    const fileDefaults = new Metadata(new Map([['general.sampling.temp', 0]]));
    const { ids } = await collectEvents(
      createScheduler(session, { fileDefaults }).generate({
        ...engineRequest([4, 5]),
        options: { maxTokens: 6 },
      }),
    );
    expect(ids).toEqual(continuation(session, [4, 5], 6));
  });

  test('the same seed gives the same ids, another seed others', async () => {
    const draw = async (seed: number): Promise<readonly number[]> =>
      (
        await collectEvents(
          createScheduler(createTableSession()).generate(
            engineRequest([1, 2], { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed, maxTokens: 30 }),
          ),
        )
      ).ids;
    expect(await draw(5)).toEqual(await draw(5));
    expect(await draw(5)).not.toEqual(await draw(6));
  });

  test('logit bias and penalties reach the session', async () => {
    const session = createTableSession();
    const [first] = continuation(session, [1, 2, 3], 1);
    const biased = await collectEvents(
      createScheduler(session).generate(
        engineRequest([1, 2, 3], { logitBias: new Map([[first!, -Infinity]]), maxTokens: 1 }),
      ),
    );
    expect(biased.ids).toEqual([selectCandidates(session.logitsAfter([1, 2, 3]), { count: 2 }).ids[1]]);
    const unique = await collectEvents(
      createScheduler(session).generate(
        engineRequest([1, 2, 3], { presencePenalty: 1e6, repeatLastN: -1, maxTokens: 61 }),
      ),
    );
    expect(new Set([1, 2, 3, ...unique.ids]).size).toBe(64);
  });
});

describe('probabilities', () => {
  const logSoftmax = (row: Float32Array): number[] => {
    const sum = Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0));
    return Array.from(row, (logit) => logit - sum);
  };

  test('of output tokens are those before any adjustment', async () => {
    const session = createTableSession();
    const { events } = await collectEvents(
      createScheduler(session).generate(
        engineRequest([1, 2], { logprobs: 3, temperature: 2, seed: 1, presencePenalty: 1, maxTokens: 5 }),
      ),
    );
    const ids = [1, 2];
    for (const event of events) {
      if (event.type !== 'token') continue;
      const row = session.logitsAfter(ids);
      const expected = logSoftmax(row);
      expect(event.logprob).toBeCloseTo(expected[event.id]!, 5);
      expect(event.top?.map((entry) => entry.id)).toEqual(
        Array.from(selectCandidates(row, { count: 3 }).ids),
      );
      for (const entry of event.top!) expect(entry.logprob).toBeCloseTo(expected[entry.id]!, 5);
      ids.push(event.id);
    }
    expect(ids.length).toBe(7);
  });

  test('of prompt tokens come with prefilled, the first without, and nothing is reused', async () => {
    const session = createTableSession();
    const engine = createScheduler(session);
    const prompt = promptOf(37);
    await collectEvents(engine.generate(engineRequest(prompt)));
    const { events, cacheRead } = await collectEvents(
      engine.generate(engineRequest(prompt, { maxTokens: 0 }, { promptLogprobs: 2 })),
    );
    expect(cacheRead).toBe(0);
    const scores = events[0]?.type === 'prefilled' ? events[0].scores! : [];
    expect(scores.map((score) => score.id)).toEqual(prompt);
    expect(scores[0]).toEqual({ id: prompt[0], logprob: Number.NaN, top: [] });
    scores.slice(1).forEach((score, index) => {
      const row = session.logitsAfter(prompt.slice(0, index + 1));
      const expected = logSoftmax(row);
      expect(score.logprob).toBeCloseTo(expected[score.id]!, 5);
      expect(score.top.map((entry) => entry.id)).toEqual(Array.from(selectCandidates(row, { count: 2 }).ids));
      expect(score.top[1]!.logprob).toBeCloseTo(expected[score.top[1]!.id]!, 5);
    });
  });
});

describe('several requests', () => {
  test.each([
    [1, 16],
    [2, 2],
    [3, 5],
    [8, 64],
  ])(
    'give what each gives alone (%i sequences, %i tokens a step)',
    async (sequencesPerStep, tokensPerStep) => {
      const session = createTableSession({ sequencesPerStep, tokensPerStep });
      const engine = createScheduler(session);
      const prompts = [3, 50, 17, 1, 33, 90].map((length, seed) => promptOf(length, seed));
      const sampling = { temperature: 1.3, topK: 0, seed: 11, maxTokens: 12 };
      const together = await Promise.all(
        prompts.map((prompt) => collectEvents(engine.generate(engineRequest(prompt, sampling)))),
      );
      for (const [index, prompt] of prompts.entries()) {
        const alone = await collectEvents(
          createScheduler(createTableSession()).generate(engineRequest(prompt, sampling)),
        );
        expect(together[index]!.ids).toEqual(alone.ids);
      }
      expect(Math.max(...session.steps.map((items) => items.length))).toBe(
        sequencesPerStep > 6 ? 6 : sequencesPerStep,
      );
    },
  );

  test('decode together in one step', async () => {
    const session = createTableSession({ sequencesPerStep: 4 });
    const engine = createScheduler(session);
    await Promise.all(
      [1, 2, 3, 4].map((id) =>
        collectEvents(engine.generate(engineRequest([id, id, id], { maxTokens: 10 }))),
      ),
    );
    // 12 prompt tokens fit one step, then nine steps of four.
    expect(session.steps.length).toBe(10);
    expect(session.steps.slice(1).every((items) => items.length === 4)).toBe(true);
  });

  test.each([1, 2])('a long prompt does not stop others (%i sequences a step)', async (sequencesPerStep) => {
    const session = createTableSession({ sequencesPerStep, tokensPerStep: 4 });
    const engine = createScheduler(session);
    const decoding = engine.generate(engineRequest([1, 2], { maxTokens: 200 }));
    await pullUntil(decoding, 'token');
    const long = engine.generate(engineRequest(promptOf(200, 3), { maxTokens: 1 }));
    const firsts: EngineEvent[] = [];
    const prefilled = pullUntil(long, 'prefilled', (event) => firsts.push(event));
    let produced = 0;
    while (firsts.length === 0) {
      await decoding.next();
      produced += 1;
    }
    await prefilled;
    // Both move: a token for about every chunk of the prompt.
    expect(produced).toBeGreaterThan(40);
    expect(produced).toBeLessThan(120);
    await Promise.all([decoding.return(), long.return()]);
  });

  test('progress evenly', async () => {
    const session = createTableSession({ sequencesPerStep: 2 });
    const engine = createScheduler(session);
    const counts = [0, 0, 0, 0, 0];
    const spreads: number[] = [];
    await Promise.all(
      counts.map(async (_, index) => {
        for await (const event of engine.generate(engineRequest([index, 9, index], { maxTokens: 40 }))) {
          if (event.type !== 'token') continue;
          counts[index] = counts[index]! + 1;
          spreads.push(Math.max(...counts) - Math.min(...counts));
        }
      }),
    );
    expect(counts).toEqual([40, 40, 40, 40, 40]);
    expect(Math.max(...spreads)).toBeLessThanOrEqual(3);
  });

  test('of higher priority begin first', async () => {
    const session = createTableSession({ sequencesPerStep: 1 });
    const engine = createScheduler(session, { maximumRunning: 1 });
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2].map(async (priority) => {
        await collectEvents(engine.generate(engineRequest([priority, 40], { priority, maxTokens: 2 })));
        order.push(priority);
      }),
    );
    expect(order).toEqual([2, 1, 0]);
  });

  test('never more than allowed are in a step, though each that pauses lets another one begin', async () => {
    const session = createTableSession();
    const engine = createScheduler(session, { maximumRunning: 2 });
    const streams = [1, 2, 3, 4].map((id) => engine.generate(engineRequest([id, 40], { maxTokens: 12 })));
    // The first two begin, pause, and so the others begin; then all are read at once.
    for (const stream of streams) await pullUntil(stream, 'token');
    const outputs = await Promise.all(streams.map((stream) => collectEvents(stream)));
    expect(Math.max(...session.steps.map((items) => items.length))).toBe(2);
    outputs.forEach(({ ids }, index) => {
      expect(ids).toEqual(continuation(session, [index + 1, 40], 12).slice(1));
    });
  });

  test('beyond the queue are told that it is busy', async () => {
    const session = createTableSession({ sequencesPerStep: 1 });
    const engine = createScheduler(session, { maximumQueue: 3, maximumRunning: 1 });
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((id) => collectEvents(engine.generate(engineRequest([id])))),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(outcomes[4]).toMatchObject({ reason: { code: 'BUSY' } });
    expect((await collectEvents(engine.generate(engineRequest([9])))).ids.length).toBe(8);
  });

  test('a failing one takes nobody along', async () => {
    const session = createTableSession({ poisonId: 63 });
    const engine = createScheduler(session);
    const prompts = [
      [1, 2],
      [5, 63],
      [3, 4],
    ];
    const outcomes = await Promise.allSettled(
      prompts.map((prompt) => collectEvents(engine.generate(engineRequest(prompt)))),
    );
    expect(outcomes[1]).toMatchObject({ reason: { code: 'WEIGHTS_NOT_FINITE' } });
    for (const index of [0, 2]) {
      const outcome = outcomes[index]!;
      expect(outcome.status === 'fulfilled' && outcome.value.ids).toEqual(
        continuation(session, prompts[index]!, 8),
      );
    }
    // Only the two good ones are kept for reuse.
    expect(session.openCount).toBe(2);
  });

  test('a failing one among many is found by halves', async () => {
    const session = createTableSession({ poisonId: 63, sequencesPerStep: 64, tokensPerStep: 512 });
    const { step } = session;
    let calls = 0;
    session.step = (items, signal) => {
      calls += 1;
      return step(items, signal);
    };
    const engine = createScheduler(session);
    const prompts = Array.from({ length: 32 }, (_, index) => [index, index === 20 ? 63 : 1]);
    const outcomes = await Promise.allSettled(
      prompts.map((prompt) => collectEvents(engine.generate(engineRequest(prompt, { maxTokens: 1 })))),
    );
    outcomes.forEach((outcome, index) => {
      if (index === 20) expect(outcome).toMatchObject({ reason: { code: 'WEIGHTS_NOT_FINITE' } });
      else expect(outcome).toMatchObject({ value: { ids: continuation(session, prompts[index]!, 1) } });
    });
    // The whole, then two halves of 32, 16, 8, 4 and 2.
    expect(calls).toBe(1 + 2 * 5);
  });
});

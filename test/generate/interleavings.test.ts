import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Engine, EngineRequest } from '../../src/generate/engine.ts';
import { nextTurn } from '../../src/generate/next-turn.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import { collectEvents } from '../support/collect-events.ts';
import { promptOf } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';

/** One request and what its consumer does. */
interface Visit {
  /** Which of a few texts it begins with, how much of it, and what it adds. */
  readonly text: number;
  readonly shared: number;
  readonly tail: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly priority: number;
  /** Turns before it starts, and between two of its events. */
  readonly startTurns: number;
  readonly readTurns: number;
  /** After how many events it goes, and how; those who stay read to the end. */
  readonly leaveAfter: number;
  readonly leave: 'stay' | 'return' | 'abort';
}

const visits = fc.array(
  fc.record<Visit>({
    text: fc.nat({ max: 1 }),
    shared: fc.nat({ max: 40 }),
    tail: fc.array(fc.nat({ max: 59 }), { minLength: 1, maxLength: 12 }),
    maxTokens: fc.integer({ min: 1, max: 14 }),
    temperature: fc.constantFrom(0, 1.2),
    priority: fc.constantFrom(0, 0, 0, 1),
    startTurns: fc.nat({ max: 12 }),
    readTurns: fc.constantFrom(0, 0, 0, 1, 5),
    leaveAfter: fc.integer({ min: 1, max: 8 }),
    leave: fc.constantFrom('stay', 'stay', 'stay', 'return', 'abort'),
  }),
  { minLength: 2, maxLength: 12 },
);

const sessions = fc.record({
  sequencesPerStep: fc.constantFrom(1, 2, 5, 64),
  tokensPerStep: fc.constantFrom(2, 7, 64),
  stepMs: fc.constantFrom(0, 0, 0, 1),
});

/** The longest request has 40 + 12 + 13 tokens in its sequence. */
const pages = fc.oneof(
  fc.constant({}),
  fc.record({ pageTokens: fc.constant(4), pageLimit: fc.integer({ min: 18, max: 60 }) }),
);

const requestOf = (visit: Visit, signal?: AbortSignal): EngineRequest => ({
  prompt: Int32Array.from([...promptOf(visit.shared, visit.text), ...visit.tail]),
  options: {
    maxTokens: visit.maxTokens,
    temperature: visit.temperature,
    topK: 0,
    seed: 5,
    priority: visit.priority,
    ...(signal === undefined ? {} : { signal }),
  },
  endIds: new Set([61]),
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** The ids that a visit has seen. */
async function read(engine: Engine, visit: Visit): Promise<number[]> {
  await turns(visit.startTurns);
  const controller = new AbortController();
  const reason = new Error('gone');
  const ids: number[] = [];
  let events = 0;
  try {
    for await (const event of engine.generate(requestOf(visit, controller.signal))) {
      if (event.type === 'token') ids.push(event.id);
      events += 1;
      if (events === visit.leaveAfter && visit.leave === 'return') break;
      // The abort comes in the middle of what the engine does then.
      if (events === visit.leaveAfter && visit.leave === 'abort') {
        void turns(1).then(() => controller.abort(reason));
      }
      await turns(visit.readTurns);
    }
  } catch (error) {
    expect(error).toBe(reason);
  }
  return ids;
}

async function alone(visit: Visit): Promise<readonly number[]> {
  const { ids } = await collectEvents(createScheduler(createTableSession()).generate(requestOf(visit)));
  return ids;
}

describe('any requests at any time', () => {
  test.each([0, 4000, 2 ** 30])(
    'say what each says alone, with %i bytes to keep',
    async (cacheBudgetBytes) => {
      await fc.assert(
        fc.asyncProperty(visits, sessions, pages, async (list, limits, paging) => {
          const session = createTableSession({ ...limits, ...paging });
          const engine = createScheduler(session, { cacheBudgetBytes, parkRestMs: 1 });
          const seen = await Promise.all(list.map((visit) => read(engine, visit)));
          for (const [index, visit] of list.entries()) {
            const expected = await alone(visit);
            expect(seen[index]).toEqual(
              visit.leave === 'stay' ? expected : expected.slice(0, seen[index]!.length),
            );
          }
          // An aborted step may still be ending.
          await turns(5);
          if (cacheBudgetBytes === 0) {
            expect(session.openCount).toBe(0);
            expect(session.usedPages).toBe(0);
          }
          await engine.dispose();
        }),
        { numRuns: 60 },
      );
    },
  );
});

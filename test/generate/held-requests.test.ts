import { expect, test } from 'vitest';

import { RivuletError } from '../../src/errors.ts';
import { createScheduler } from '../../src/generate/scheduler.ts';
import type { TokenMask } from '../../src/grammar/token-mask.ts';
import { collectEvents } from '../support/collect-events.ts';
import { continuation, engineRequest } from '../support/engine-request.ts';
import { createTableSession } from '../support/table-session.ts';

/** Allows the ids of a list, one after the other; `undefined` in it allows all. */
function listMask(
  list: readonly (readonly number[] | undefined)[],
  more: Partial<Omit<TokenMask, 'finished'>> = {},
): TokenMask & { readonly accepted: number[] } {
  const accepted: number[] = [];
  return {
    accepted,
    get finished() {
      return accepted.length >= list.length;
    },
    next: () => {
      const allowed = list[accepted.length];
      if (allowed === undefined) return undefined;
      const mask = new Int32Array(2);
      for (const id of allowed) mask[id >> 5]! |= 1 << (id & 31);
      return mask;
    },
    accept: (id) => void accepted.push(id),
    jump: () => [],
    close: () => undefined,
    ...more,
  };
}

const free = (count: number): undefined[] => Array.from({ length: count }, () => undefined);

test('tokens come out of the mask, and the end when nothing can follow', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask = listMask([[5], [9, 40], undefined]);
  const { ids, rawReason } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  expect(ids).toHaveLength(3);
  expect(ids[0]).toBe(5);
  expect([9, 40]).toContain(ids[1]);
  expect(ids).toEqual(mask.accepted);
  expect(rawReason).toBe('eos');
});

test('a mask that allows everything changes nothing', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask = listMask(free(20));
  const { ids, rawReason } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  expect(ids).toEqual(continuation(session, [1, 2, 3], 8));
  expect(rawReason).toBe('max-tokens');
});

test('tokens that are certain go through the model as one piece, and what follows is as without', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const certain = [11, 12, 13];
  const mask: ReturnType<typeof listMask> = listMask(free(20), {
    jump: () => (mask.accepted.length === 2 ? certain : []),
  });
  const { ids } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  const first = continuation(session, [1, 2, 3], 2);
  const rest = continuation(session, [1, 2, 3, ...first, ...certain], 3);
  expect(ids).toEqual([...first, ...certain, ...rest]);
  expect(session.steps.map((items) => items[0]?.tokens.length)).toEqual([3, 1, 4, 1, 1]);
});

test('with probabilities every token is scored', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask = listMask(free(20), { jump: () => [11, 12] });
  const request = engineRequest([1, 2, 3], { logprobs: 0 }, { mask });
  const { ids } = await collectEvents(engine.generate(request));
  expect(ids).toEqual(continuation(session, [1, 2, 3], 8));
});

test('an end in time is said at once, with the reason that it was for', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const left: number[] = [];
  const mask = listMask(free(20), {
    close: (tokensLeft) => {
      left.push(tokensLeft);
      return tokensLeft <= 3 ? [21, 22] : undefined;
    },
  });
  const { ids, rawReason } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  expect(ids).toEqual([...continuation(session, [1, 2, 3], 5), 21, 22]);
  expect(left).toEqual([7, 6, 5, 4, 3]);
  expect(rawReason).toBe('max-tokens');
});

test('a grammar that is stuck ends its own request with its error, and no other', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask = listMask(free(20), {
    accept: () => {
      throw new RivuletError('GRAMMAR_STUCK', 'Stuck.');
    },
  });
  const other = collectEvents(engine.generate(engineRequest([7, 8, 9])));
  await expect(collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })))).rejects.toMatchObject({
    code: 'GRAMMAR_STUCK',
  });
  expect((await other).ids).toEqual(continuation(session, [7, 8, 9], 8));
});

test('a mask that fails when it is asked fails its own request only', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask: ReturnType<typeof listMask> = listMask(free(20), {
    next: () => {
      if (mask.accepted.length > 0) throw new RivuletError('GRAMMAR_STUCK', 'Stuck.');
      return undefined;
    },
  });
  const other = collectEvents(engine.generate(engineRequest([7, 8, 9])));
  await expect(collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })))).rejects.toMatchObject({
    code: 'GRAMMAR_STUCK',
  });
  expect((await other).ids).toEqual(continuation(session, [7, 8, 9], 8));
});

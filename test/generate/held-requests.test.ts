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

test('an end in place of a token that leaves no room for one has the reason that it was for', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const asked: number[][] = [];
  const mask = listMask(free(20), {
    close: (id, tokensLeft) => {
      asked.push([id, tokensLeft]);
      return tokensLeft <= 3 ? [21, 22] : undefined;
    },
  });
  const { ids, rawReason } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  const own = continuation(session, [1, 2, 3], 6);
  expect(ids).toEqual([...own.slice(0, 5), 21, 22]);
  expect(asked).toEqual(own.map((id, index) => [id, 8 - index]));
  expect(mask.accepted).toEqual(own.slice(0, 5));
  expect(rawReason).toBe('max-tokens');
});

test('where the context is full first, that is the reason', async () => {
  const session = createTableSession({ contextLength: 8 });
  const engine = createScheduler(session);
  const mask = listMask(free(20), { close: (_, tokensLeft) => (tokensLeft <= 2 ? [21, 22] : undefined) });
  const { ids, rawReason } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  expect(ids).toEqual([...continuation(session, [1, 2, 3], 3), 21, 22]);
  expect(rawReason).toBe('context-full');
});

test('of tokens that are certain those are taken that leave room for an end', async () => {
  const session = createTableSession();
  const engine = createScheduler(session);
  const mask: ReturnType<typeof listMask> = listMask(free(20), {
    jump: () => (mask.accepted.length === 2 ? [11, 12, 13] : []),
    close: (id) => (id === 13 ? [21] : undefined),
  });
  const { ids } = await collectEvents(engine.generate(engineRequest([1, 2, 3], {}, { mask })));
  const first = continuation(session, [1, 2, 3], 2);
  expect(ids).toEqual([...first, 11, 12, ...continuation(session, [1, 2, 3, ...first, 11, 12], 4)]);
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

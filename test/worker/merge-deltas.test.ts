import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { GenerateEvent, TokenLogprob } from '../../src/events.ts';
import { takeMerged } from '../../src/worker/merge-deltas.ts';

const token = (id: number): TokenLogprob => ({ id, text: `t${id}`, logprob: -1, top: [] });
const text = (delta: string, id = 'text-1'): GenerateEvent & { type: 'text-delta' } => ({
  type: 'text-delta',
  id,
  delta,
});

function takeAll(events: readonly GenerateEvent[]): { event: GenerateEvent; count: number }[] {
  const waiting = [...events];
  const taken = [];
  for (let next = takeMerged(waiting); next !== undefined; next = takeMerged(waiting)) taken.push(next);
  return taken;
}

describe('deltas that wait', () => {
  test('of one block become one, with their tokens', () => {
    const waiting: GenerateEvent[] = [
      { ...text('Hel'), tokens: [token(1)] },
      { ...text('lo'), tokens: [token(2), token(3)] },
      text('!'),
    ];
    const tokens = [token(1), token(2), token(3)];
    expect(takeAll(waiting)).toEqual([{ event: { ...text('Hello!'), tokens }, count: 3 }]);
  });

  test('of a call become one too', () => {
    const delta = (part: string): GenerateEvent => ({ type: 'tool-input-delta', id: 'call-1', delta: part });
    expect(takeAll([delta('{"a"'), delta(':1}')])).toEqual([{ event: delta('{"a":1}'), count: 2 }]);
  });

  test('of two blocks, or of two kinds, stay two', () => {
    const thought: GenerateEvent = { type: 'reasoning-delta', id: 'text-1', delta: 'hm' };
    const events = [text('a'), text('b', 'text-2'), thought];
    expect(takeAll(events).map(({ event }) => event)).toEqual(events);
  });

  test('without tokens get none', () => {
    expect(takeAll([text('a'), text('b')])[0]?.event).not.toHaveProperty('tokens');
  });
});

test('nothing is lost, and every event is counted once', () => {
  const event = fc.oneof(
    fc.record({
      type: fc.constantFrom('text-delta' as const, 'reasoning-delta' as const, 'tool-input-delta' as const),
      id: fc.constantFrom('1', '2'),
      delta: fc.string(),
    }),
    fc.record({
      type: fc.constantFrom('text-start' as const, 'text-end' as const),
      id: fc.constantFrom('1', '2'),
    }),
  );
  const trace = (events: readonly GenerateEvent[]): string[] =>
    events.flatMap((one) =>
      'delta' in one
        ? [...one.delta].map((character) => `${one.type}/${one.id}/${character}`)
        : [JSON.stringify(one)],
    );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const taken = takeAll(events);
      expect(trace(taken.map((one) => one.event))).toEqual(trace(events));
      expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
    }),
  );
});

import { expect, test } from 'vitest';
import { leaveOnAbort } from '../../../providers/langchain/leave-on-abort.ts';
import { collect } from '../collect.ts';

function counter(): { values: AsyncGenerator<number, void, undefined>; state: { left: boolean } } {
  const state = { left: false };
  async function* count(): AsyncGenerator<number, void, undefined> {
    try {
      for (let value = 0; value < 3; value += 1) yield value;
    } finally {
      state.left = true;
    }
  }
  return { values: count(), state };
}

test('without an abort nothing changes', async () => {
  expect(await collect(leaveOnAbort(counter().values, undefined))).toEqual([0, 1, 2]);
  expect(await collect(leaveOnAbort(counter().values, new AbortController().signal))).toEqual([0, 1, 2]);
});

test('an abort between two pulls ends the source although nobody pulls', async () => {
  const abort = new AbortController();
  const { values, state } = counter();
  const wrapped = leaveOnAbort(values, abort.signal);
  await wrapped.next();
  abort.abort(new Error('enough'));
  await expect.poll(() => state.left).toBe(true);
  await expect(wrapped.next()).rejects.toThrow('enough');
});

test('leaving the wrapper leaves the source', async () => {
  const { values, state } = counter();
  for await (const value of leaveOnAbort(values, undefined)) if (value === 1) break;
  expect(state.left).toBe(true);
});

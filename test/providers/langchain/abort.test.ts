import { ContextOverflowError, getRetryable, ModelAbortError } from '@langchain/core/errors';
import { expect, test } from 'vitest';
import { ChatLocal } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';
import { collect } from '../collect.ts';

const reason = new Error('enough');

/** Says `Hel`, then takes its time for the rest. */
function slowModel(): ReturnType<typeof scriptedModel> {
  return scriptedModel({ outputs: [['Hel', 'lo']], delayMs: 300 });
}

async function failure(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

test('an aborted signal fails every path before anything is asked of the model', async () => {
  const model = scriptedModel({ outputs: [['a']] });
  const chat = new ChatLocal(model);
  const signal = AbortSignal.abort(reason);
  expect(await failure(chat.invoke('x', { signal }))).toBe(reason);
  expect(await failure(chat.stream('x', { signal }).then((stream) => collect(stream)))).toBe(reason);
  expect(await failure(chat.streamEvents('x', { signal }))).toBe(reason);
  expect(model.requests).toHaveLength(0);
});

test('invoke: ModelAbortError with what was said', async () => {
  const model = slowModel();
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 450);
  const error = await failure(new ChatLocal(model).invoke('x', { signal: abort.signal }));
  expect(ModelAbortError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ cause: reason, partialOutput: { content: 'Hel' } });
  expect(model.requests).toMatchObject([{ pieces: 1, state: 'left' }]);
});

test('an abort in prefill has nothing to show', async () => {
  const model = scriptedModel({ outputs: [['a']], prefillMs: 60_000 });
  const error = await failure(new ChatLocal(model).invoke('x', { signal: AbortSignal.timeout(20) }));
  expect(ModelAbortError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ cause: { name: 'TimeoutError' }, partialOutput: undefined });
});

test('the timeout option of a call', async () => {
  const model = scriptedModel({ outputs: [['a']], prefillMs: 60_000 });
  const error = await failure(new ChatLocal(model).invoke('x', { timeout: 20 }));
  expect(ModelAbortError.isInstance(error)).toBe(true);
});

test('stream: the reason at once, and the engine stops', async () => {
  const model = slowModel();
  const abort = new AbortController();
  const stream = await new ChatLocal(model).stream('x', { signal: abort.signal });
  const texts: string[] = [];
  const error = await failure(
    (async () => {
      for await (const chunk of stream) {
        texts.push(chunk.text);
        abort.abort(reason);
      }
    })(),
  );
  expect(error).toBe(reason);
  expect(texts).toEqual(['Hel']);
  await expect.poll(() => model.requests[0]?.state).toBe('left');
});

test('streamEvents throws, never ends early as a success', async () => {
  const model = slowModel();
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), 450);
  const error = await failure(new ChatLocal(model).streamEvents('x', { signal: abort.signal }));
  expect(ModelAbortError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({
    cause: reason,
    partialOutput: { content: [{ type: 'text', text: 'Hel' }] },
  });
});

test('leaving a stream stops the engine', async () => {
  const model = scriptedModel({ outputs: [['a', 'b', 'c']] });
  for await (const chunk of await new ChatLocal(model).stream('x')) {
    if (chunk.text === 'a') break;
  }
  await expect.poll(() => model.requests[0]?.state).toBe('left');
  expect(model.requests[0]?.pieces).toBeLessThan(3);
});

test('one of two requests is aborted, the other goes on', async () => {
  const model = scriptedModel({
    outputs: [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
    delayMs: 20,
  });
  const chat = new ChatLocal(model);
  const abort = new AbortController();
  const left = failure(chat.invoke('x', { signal: abort.signal }));
  const kept = chat.invoke('x');
  setTimeout(() => abort.abort(reason), 30);
  expect(ModelAbortError.isInstance(await left)).toBe(true);
  expect((await kept).text).toBe('abc');
});

test('a prompt that does not fit is ContextOverflowError with both numbers', async () => {
  const model = scriptedModel({ outputs: [['a']], contextLength: 10 });
  const error = await failure(new ChatLocal(model).invoke('x'));
  expect(ContextOverflowError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ cause: { code: 'CONTEXT_OVERFLOW', details: { contextLength: 10 } } });
  expect(String(error)).toContain('10');
});

test('a missing file is not worth another attempt, and none is made', async () => {
  const error = await failure(new ChatLocal('/nowhere/at-all.gguf').invoke('x'));
  expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  expect(getRetryable(error)).toBe(false);
});

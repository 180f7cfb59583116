import { setTimeout as sleep } from 'node:timers/promises';

import { beforeEach, describe, expect, test } from 'vitest';

import { nextTurn } from '../../src/generate/next-turn.ts';
import { collectMessages } from '../../src/worker/collect-messages.ts';
import type { ToClient } from '../../src/worker/protocol.ts';

let posted: ToClient[];
let post: (message: ToClient) => void;

beforeEach(() => {
  // What an earlier test has left waiting comes later, and to its own.
  const messages: ToClient[] = [];
  posted = messages;
  post = collectMessages({
    post: (message) => messages.push(message),
    listen: () => undefined,
    onClosed: () => undefined,
    hold: () => undefined,
    close: async () => undefined,
  });
});

const delta = (stream: number, text: string): ToClient => ({
  type: 'event',
  stream,
  event: { type: 'text-delta', id: '1', delta: text },
});
const start = (stream: number): ToClient => ({
  type: 'event',
  stream,
  event: { type: 'text-start', id: '1' },
});

/** What a step gives: something for each of so many streams. */
async function step(count: number, make: (stream: number) => ToClient): Promise<void> {
  for (let stream = 0; stream < count; stream += 1) post(make(stream));
  await nextTurn();
  await nextTurn();
}

/** Posted since the last look: for each message, whose events were in it. */
function streamsPosted(): number[][] {
  return posted
    .splice(0)
    .map((message) => singles(message).map((single) => ('stream' in single ? single.stream : -1)));
}

const singles = (message: ToClient): readonly ToClient[] =>
  message.type === 'several' ? message.messages : [message];

describe('messages of one turn', () => {
  test('are posted as one', async () => {
    await step(3, (stream) => delta(stream, 'a'));
    expect(streamsPosted()).toEqual([[0, 1, 2]]);
  });

  test('are posted as they are when there is one', async () => {
    await step(1, (stream) => delta(stream, 'a'));
    expect(posted).toEqual([delta(0, 'a')]);
  });
});

describe('deltas of many streams', () => {
  test('take turns, and each has all of its own', async () => {
    for (const text of ['a', 'b', 'c', 'd']) await step(8, (stream) => delta(stream, text));
    const all = posted.flatMap(singles);
    expect(streamsPosted()).toEqual([
      [0, 1, 2, 3],
      [4, 4, 5, 5, 6, 6, 7, 7],
      [0, 0, 1, 1, 2, 2, 3, 3],
      [4, 4, 5, 5, 6, 6, 7, 7],
    ]);
    expect(all.filter((one) => 'stream' in one && one.stream === 4)).toEqual(
      ['a', 'b', 'c', 'd'].map((text) => delta(4, text)),
    );
  });

  test('wait for three other turns at most', async () => {
    for (const text of ['a', 'b', 'c', 'd']) await step(32, (stream) => delta(stream, text));
    const turns = streamsPosted();
    expect(turns.map((streams) => new Set(streams).size)).toEqual([8, 8, 8, 8]);
    expect(new Set(turns.flat()).size).toBe(32);
  });

  test('do not keep a start or an end waiting, nor change their order', async () => {
    await step(8, (stream) => (stream === 7 ? start(7) : delta(stream, 'a')));
    expect(streamsPosted()).toEqual([[0, 1, 2, 3, 7]]);
    post(delta(6, 'b'));
    post({ type: 'ended', stream: 6 });
    await nextTurn();
    await nextTurn();
    expect(streamsPosted()).toEqual([[4, 5, 6, 6, 6]]);
  });

  test('come without another turn when a step takes long', async () => {
    await step(6, (stream) => delta(stream, 'a'));
    expect(streamsPosted()).toEqual([[0, 1, 2, 3]]);
    await sleep(100);
    expect(streamsPosted()).toEqual([[4, 5]]);
  });
});

test('what belongs to no stream goes first', async () => {
  post(delta(0, 'a'));
  post({ type: 'disposed' });
  await nextTurn();
  await nextTurn();
  expect(posted.flatMap(singles).map((single) => single.type)).toEqual(['disposed', 'event']);
});

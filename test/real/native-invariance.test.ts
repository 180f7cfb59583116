import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session, StepItem } from '../../src/session/session.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import { defaultModelPath } from '../support/default-model.ts';

const text =
  'The harbour master wrote every arrival into a ledger bound in green cloth: the name of the ship, her master, ' +
  'the cargo, the draught, and in the last column, in a smaller hand, whatever he thought worth remembering. ';

let one: Session;
let two: Session;
let prompt: Int32Array;
let others: Int32Array[];
/** What the prompt gives alone, at once, on one thread. */
let expected: Float32Array;

beforeAll(async () => {
  const gguf = await openGguf(nodePlatform, await defaultModelPath());
  try {
    const options = { gguf, contextLength: 2048, dialect: 'native' } as const;
    one = await nodePlatform.createSession({ ...options, threads: 1 });
    two = await nodePlatform.createSession({ ...options, threads: 2 });
    const tokenizer = createTokenizer(gguf.metadata);
    prompt = tokenizer.encode(text.repeat(4)).slice(0, 150);
    others = Array.from({ length: 17 }, (_, index) =>
      tokenizer.encode(text.slice(index * 5).repeat(3)).slice(0, 1 + index * 7),
    );
  } finally {
    await closeGguf(gguf);
  }
  expected = await feed(one, one.openSequence(), prompt, prompt.length);
}, 300_000);
afterAll(async () => {
  await one?.dispose();
  await two?.dispose();
});

/** Feeds tokens in chunks; the logits of the last one. */
async function feed(
  session: Session,
  sequence: number,
  tokens: Int32Array,
  chunk: number,
): Promise<Float32Array> {
  let logits = new Float32Array();
  for (let start = 0; start < tokens.length; start += chunk) {
    const [result] = await session.step([
      { sequence, tokens: tokens.slice(start, start + chunk), logits: 'last' },
    ]);
    logits = Float32Array.from(result?.logits ?? []);
  }
  return logits;
}

function sameBits(logits: Float32Array | undefined): void {
  expect(logits?.length).toBe(expected.length);
  expect(Buffer.compare(Buffer.from(logits!.buffer), Buffer.from(expected.buffer))).toBe(0);
}

describe('the logits of a prompt are the same bits', () => {
  it.each([1, 7, 64, 512])('in chunks of %i, on one thread and on two', async (chunk) => {
    for (const session of [one, two]) {
      const sequence = session.openSequence();
      sameBits(await feed(session, sequence, prompt, chunk));
      session.closeSequence(sequence);
    }
  });

  it('in a batch of 17 ragged others', async () => {
    for (const session of [one, two]) {
      const sequence = session.openSequence();
      const neighbours = others.map((tokens): StepItem => ({
        sequence: session.openSequence(),
        tokens,
        logits: 'last',
      }));
      const mine: StepItem = { sequence, tokens: prompt, logits: 'last' };
      const results = await session.step([...neighbours.slice(0, 9), mine, ...neighbours.slice(9)]);
      sameBits(Float32Array.from(results[9]?.logits ?? []));
      for (const item of [...neighbours, mine]) session.closeSequence(item.sequence);
    }
  });

  it('when the last token decodes beside others that prefill', async () => {
    const sequence = two.openSequence();
    await feed(two, sequence, prompt.slice(0, -1), 64);
    const neighbours = others.map((tokens): StepItem => ({ sequence: two.openSequence(), tokens }));
    const [result] = await two.step([{ sequence, tokens: prompt.slice(-1), logits: 'last' }, ...neighbours]);
    sameBits(Float32Array.from(result?.logits ?? []));
    for (const item of [{ sequence }, ...neighbours]) two.closeSequence(item.sequence);
  });

  it.each([1, 63, 64, 65, 149])('after a prefix of %i tokens that another sequence left', async (length) => {
    const first = two.openSequence();
    await feed(two, first, prompt, 512);
    const second = two.fork(first, length);
    sameBits(await feed(two, second, prompt.slice(length), 512));
    // The sequence that was forked still goes its own way.
    two.truncate(first, length);
    sameBits(await feed(two, first, prompt.slice(length), 7));
    two.closeSequence(first);
    two.closeSequence(second);
  });

  it('when the other branch of a fork went on differently', async () => {
    const first = two.openSequence();
    await feed(two, first, prompt.slice(0, 100), 512);
    const second = two.fork(first, 100);
    await feed(two, second, others[16]!.slice(0, 40), 3);
    sameBits(await feed(two, first, prompt.slice(100), 512));
    two.closeSequence(first);
    two.closeSequence(second);
  });
});

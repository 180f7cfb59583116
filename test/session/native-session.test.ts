import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Session } from '../../src/session/session.ts';
import { describeSession } from '../contract/session.ts';
import { bytesOf, tinyLlama, tinyLlamaShape } from '../support/tiny-llama.ts';
import type { TinyLlamaOptions } from '../support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-native-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

const nextPath = (): string => join(folder, `tiny-${files++}.gguf`);

async function openTiny(options: TinyLlamaOptions = {}, path: string = nextPath()): Promise<Session> {
  writeFileSync(path, tinyLlama(options));
  const gguf = await openGguf(nodePlatform, path);
  try {
    return await nodePlatform.createSession({
      gguf,
      contextLength: tinyLlamaShape.context,
      dialect: 'native',
    });
  } finally {
    await closeGguf(gguf);
  }
}

// No tolerance: a row's logits depend on the model and the row alone.
describeSession('the native session', {
  open: () => openTiny(),
  tokens: Int32Array.from({ length: 24 }, (_, index) => (index * 37) % 250),
});

const matrix = (bytes: Uint8Array, type: 'F32' | 'Q8_0'): TinyLlamaOptions => ({
  tensors: { 'blk.0.attn_q.weight': { type, shape: [32, 32], bytes } },
});

const damaged: readonly (readonly [string, TinyLlamaOptions])[] = [
  ['NaN in a float matrix', matrix(bytesOf(new Float32Array(32 * 32).fill(Number.NaN)), 'F32')],
  ['infinities in a float matrix', matrix(bytesOf(new Float32Array(32 * 32).fill(Infinity)), 'F32')],
  ['NaN in the scales of blocks', matrix(new Uint8Array(32 * 34).fill(0xff), 'Q8_0')],
];

describe('weights that are damaged', () => {
  it.each(damaged)('%s fails the step, and the session lives', async (_, options) => {
    const session = await openTiny(options);
    for (let attempt = 0; attempt < 2; attempt++) {
      const sequence = session.openSequence();
      const step = session.step([{ sequence, tokens: Int32Array.of(1, 2), select: { count: 1 } }]);
      await expect(step).rejects.toMatchObject({ code: 'WEIGHTS_NOT_FINITE' });
      expect(session.lengthOf(sequence)).toBe(0);
      session.closeSequence(sequence);
    }
    await session.dispose();
  });

  it('a file that is cut while it is mapped fails the next step', async () => {
    const path = nextPath();
    const session = await openTiny({}, path);
    const sequence = session.openSequence();
    await session.step([{ sequence, tokens: Int32Array.of(1, 2) }]);
    truncateSync(path, 4096);
    await expect(session.step([{ sequence, tokens: Int32Array.of(3) }])).rejects.toMatchObject({
      code: 'SOURCE_TRUNCATED',
    });
    expect(session.lengthOf(sequence)).toBe(2);
    await session.dispose();
  });
});

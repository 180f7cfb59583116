import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkFile } from '../src/check-model.ts';
import { tinyLlama, tinyLlamaShape } from './support/tiny-llama.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-check-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('a decoder', () => {
  const { kvHeads, embedding, heads, layers, context } = tinyLlamaShape;
  const bytesPerToken = 2 * kvHeads * (embedding / heads) * layers * 4;

  it.each([
    [{}, 1 / 2, context],
    [{ cacheType: 'f32', contextLength: 100 }, 1, 100],
    [{ cacheType: 'q8_0' }, 34 / 128, context],
    [{ dialect: 'portable' }, 1, context],
  ] as const)('with %j', async (options, share, contextLength) => {
    const check = await checkFile('tiny', await written('tiny.gguf', tinyLlama()), options);
    expect(check).toMatchObject({ fits: true, info: { id: 'tiny', architecture: 'llama', contextLength } });
    expect(check.memory.cacheBytes).toBe(bytesPerToken * share * contextLength);
  });

  it('that needs more memory than there is', async () => {
    const path = await written('tiny.gguf', tinyLlama());
    const { memory } = await checkFile('tiny', path, {});
    const needed = memory.weightBytes + memory.cacheBytes;
    expect((await checkFile('tiny', path, {}, needed)).fits).toBe(true);
    const check = await checkFile('tiny', path, {}, needed - 1);
    expect(check.fits).toBe(false);
    expect(check.problems).toEqual([expect.stringContaining(`Expected ${needed} bytes of memory`)]);
  });

  it('without one of its tensors, and of an unknown architecture', async () => {
    const incomplete = tinyLlama({ tensors: { 'blk.1.ffn_up.weight': undefined } });
    const { problems } = await checkFile('x', await written('incomplete.gguf', incomplete), {});
    expect(problems).toEqual([expect.stringContaining('blk.1.ffn_up.weight')]);
    const unknown = tinyLlama({
      metadata: { 'general.architecture': 'mystery', 'mystery.context_length': 8 },
    });
    const check = await checkFile('x', await written('unknown.gguf', unknown), {});
    expect(check.problems).toEqual([expect.stringContaining('architecture is "mystery"')]);
  });
});

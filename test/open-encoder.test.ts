import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import { openEncoder } from '../src/open-encoder.ts';
import { closeGguf, openGguf } from '../src/open-gguf.ts';
import { openModel } from '../src/open-model.ts';
import { nodePlatform } from '../src/platform-node.ts';
import { describeEncoder } from './contract/encoder.ts';
import { bytesOf, tinyLlama } from './support/tiny-llama.ts';
import type { TinyLlamaOptions } from './support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-encoder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

function write(bytes: Uint8Array): string {
  const path = join(folder, `tiny-${files++}.gguf`);
  writeFileSync(path, bytes);
  return path;
}

const writeTiny = (options: TinyLlamaOptions = {}): string => write(tinyLlama(options));
const cache = join(folder, 'cache');
const tokens = Int32Array.from({ length: 24 }, (_, index) => (index * 37) % 250);
const yesAndNo = [121, 110];

const writeBert = (name: string): string => {
  const path = fileURLToPath(new URL(`conformance/tiny-models/${name}.gguf.gz`, import.meta.url));
  return write(gunzipSync(readFileSync(path)));
};

describe.each(['native', 'portable'] as const)('in the %s dialect', (dialect) => {
  const open = (path: string, rankTokens?: readonly number[]): ReturnType<typeof openEncoder> =>
    openEncoder(nodePlatform, path, {
      dialect,
      cache,
      ...(rankTokens === undefined ? {} : { rankTokens }),
    });

  describeEncoder(`the ${dialect} encoder`, { open: () => open(writeTiny(), yesAndNo), tokens });

  it('tells what a chat model makes of texts', async () => {
    const encoder = await open(writeTiny());
    expect(encoder.info).toMatchObject({
      dialect,
      device: 'cpu',
      width: 32,
      contextLength: 256,
      pooling: 'last',
    });
    expect(encoder.info).not.toHaveProperty('labels');
    await expect(encoder.encode([{ tokens, pooling: 'rank' }])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await encoder.dispose();
  });

  it('tells what a reranker makes of texts', async () => {
    const encoder = await open(writeBert('bert-rerank'), yesAndNo);
    // Its own head comes first.
    expect(encoder.info).toMatchObject({ pooling: 'rank', labels: 1, labelNames: ['LABEL_0'] });
    await encoder.dispose();
  });

  it('scores are the logits of the tokens asked for', async () => {
    const path = writeTiny();
    const encoder = await open(path, yesAndNo);
    const [scores] = await encoder.encode([{ tokens, pooling: 'rank' }]);
    await encoder.dispose();
    const gguf = await openGguf(nodePlatform, path);
    const session = await nodePlatform.createSession({
      gguf,
      contextLength: 256,
      dialect,
      cacheType: 'f32',
      cache,
    });
    await closeGguf(gguf);
    const [result] = await session.step([{ sequence: session.openSequence(), tokens, logits: 'last' }]);
    for (const [index, id] of yesAndNo.entries()) {
      expect(scores?.[index]).toBeCloseTo(result?.logits?.[id] ?? Number.NaN, 4);
    }
    await session.dispose();
  });

  it('refuses scores of tokens that the vocabulary has not', async () => {
    await expect(open(writeTiny(), [1 << 20])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('damaged weights fail the step with a typed error, and the encoder lives', async () => {
    const bytes = bytesOf(new Float32Array(32 * 32).fill(Number.NaN));
    const encoder = await open(
      writeTiny({ tensors: { 'blk.0.attn_q.weight': { type: 'F32', shape: [32, 32], bytes } } }),
    );
    for (const pooling of ['mean', 'last'] as const) {
      await expect(encoder.encode([{ tokens, pooling }])).rejects.toMatchObject({
        code: 'WEIGHTS_NOT_FINITE',
      });
    }
    await encoder.dispose();
  });

  it('a llama that says it is not causal sees later tokens too', async () => {
    const both = writeTiny({ metadata: { 'llama.attention.causal': false } });
    const first = async (path: string, length: number): Promise<Float32Array | undefined> => {
      const encoder = await open(path);
      const [vector] = await encoder.encode([{ tokens: tokens.subarray(0, length), pooling: 'cls' }]);
      await encoder.dispose();
      return vector;
    };
    expect(await first(both, 9)).not.toEqual(await first(both, 8));
    const back = writeTiny();
    for (const [index, value] of ((await first(back, 8)) ?? []).entries()) {
      expect((await first(back, 9))?.[index]).toBeCloseTo(value, 5);
    }
  });
});

it.each([
  ['dense_2.weight', [48, 16]],
  ['cls.output.weight', [16, 2]],
  ['cls.weight', [32, 33]],
] as const)('%s of another width is refused', async (name, shape) => {
  const bytes = bytesOf(new Float32Array(shape[0] * shape[1]));
  const tensors = {
    [name]: { type: 'F32' as const, shape, bytes },
    ...(name === 'cls.weight'
      ? { 'cls.output.weight': { type: 'F32' as const, shape: [32, 1], bytes: bytes.subarray(0, 128) } }
      : {}),
  };
  await expect(openEncoder(nodePlatform, writeTiny({ tensors }))).rejects.toMatchObject({
    code: 'TENSOR_SHAPE_MISMATCH',
    details: { tensor: name },
  });
});

it('vectors go through dense matrices behind the model', async () => {
  const weight = new Float32Array(32 * 3).fill(0);
  weight.set([1, 2], 0);
  weight[32 + 5] = -1;
  const dense = { type: 'F32' as const, shape: [32, 3], bytes: bytesOf(weight) };
  const [plain, through] = await Promise.all(
    [{}, { 'dense_2.weight': dense }].map(async (tensors) => {
      const encoder = await openEncoder(nodePlatform, writeTiny({ tensors }));
      const [vector] = await encoder.encode([{ tokens, pooling: 'mean' }]);
      await encoder.dispose();
      return vector ?? new Float32Array();
    }),
  );
  expect(through).toHaveLength(3);
  expect(through?.[0]).toBeCloseTo((plain?.[0] ?? 0) + 2 * (plain?.[1] ?? 0), 5);
  expect(through?.[1]).toBeCloseTo(-(plain?.[5] ?? 0), 5);
  expect(through?.[2]).toBe(0);
});

it('an unknown pooling is an error that names the key', async () => {
  const path = writeTiny({ metadata: { 'llama.pooling_type': 9 } });
  await expect(openEncoder(nodePlatform, path)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    details: { key: 'llama.pooling_type' },
  });
});

it('a chat asked of an encoder is refused before weights are looked at', async () => {
  const platform = { ...nodePlatform, createSession: () => Promise.reject(new Error('a session was made')) };
  const path = writeBert('bert');
  const { model } = await openModel(platform, path, path);
  const chat = async (): Promise<void> => {
    for await (const _ of model.chat({ messages: [{ role: 'user', content: 'hello' }] })) break;
  };
  await expect(chat()).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { architecture: 'bert' } });
  await model.dispose();
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import type { Model } from '../../src/model.ts';
import { openModel } from '../../src/open-model.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import { conformanceModelPath } from '../support/conformance-model.ts';
import { bytesOf, tinyLlama } from '../support/tiny-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-embed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, `${name}.gguf`);
  writeFileSync(path, bytes);
  return path;
};
async function using(
  path: string,
  dialect: 'native' | 'portable',
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const { model } = await openModel(nodePlatform, 'tiny', path, { dialect, cache: join(folder, 'cache') });
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

const lengthOf = (vector: Float32Array | undefined): number => Math.hypot(...(vector ?? []));
const texts = ['a brook', 'the river runs to the sea', '', 'x', 'a brook'];

describe.each(['native', 'portable'] as const)('an encoder in the %s dialect', (dialect) => {
  it('makes one vector of length 1 per text, the same alone and among others', () =>
    using(conformanceModelPath('bert'), dialect, async (model) => {
      expect(model.info.capabilities).toEqual({
        chat: false,
        tools: false,
        reasoning: false,
        embedding: true,
        reranking: false,
      });
      const { embeddings, usage, warnings } = await model.embed({ values: texts });
      expect(warnings).toEqual([]);
      expect(usage.tokens).toBeGreaterThan(texts.length * 2);
      for (const vector of embeddings) expect(lengthOf(vector)).toBeCloseTo(1, 5);
      expect(embeddings[4]).toEqual(embeddings[0]);
      for (const [index, value] of texts.entries()) {
        const alone = await model.embed({ values: [value] });
        if (dialect === 'native') expect(alone.embeddings[0]).toEqual(embeddings[index]);
        else {
          for (const [place, element] of (alone.embeddings[0] ?? []).entries()) {
            expect(element).toBeCloseTo(embeddings[index]?.[place] ?? Number.NaN, 5);
          }
        }
      }
    }));

  it('cuts dimensions, and gives all tokens when asked', () =>
    using(conformanceModelPath('bert'), dialect, async (model) => {
      const [whole] = (await model.embed({ values: ['a brook'], normalize: false })).embeddings;
      const [short] = (await model.embed({ values: ['a brook'], dimensions: 8 })).embeddings;
      expect(short).toHaveLength(8);
      expect(lengthOf(short)).toBeCloseTo(1, 5);
      const scale = lengthOf(whole?.subarray(0, 8));
      for (const [index, element] of (short ?? []).entries()) {
        expect(element).toBeCloseTo((whole?.[index] ?? 0) / scale, 5);
      }
      const all = await model.embed({ values: ['a brook'], pooling: 'none' });
      expect(all.embeddings[0]).toHaveLength(all.usage.tokens * (whole?.length ?? 0));
      // The file pools by its first token.
      expect(all.embeddings[0]?.subarray(0, whole?.length)).toEqual(whole);
    }));

  it('ranks documents by its head, scores from 0 to 1', () =>
    using(conformanceModelPath('bert-rerank'), dialect, async (model) => {
      expect(model.info.capabilities).toMatchObject({ embedding: false, reranking: true });
      const documents = ['the sea', 'a river', 'stones and sand', 'the sea'];
      const { ranking, usage } = await model.rerank({ query: 'where does the river run?', documents });
      expect(ranking.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3]);
      for (const { score } of ranking) expect(score > 0 && score < 1).toBe(true);
      expect(ranking.map(({ score }) => score)).toEqual(
        ranking.map(({ score }) => score).toSorted((a, b) => b - a),
      );
      // Equal documents have equal scores, and the earlier one comes first.
      const places = ranking.map(({ index }) => index);
      expect(places.indexOf(3) - places.indexOf(0)).toBe(1);
      expect(usage.tokens).toBeGreaterThan(0);
      const { ranking: best } = await model.rerank({
        query: 'where does the river run?',
        documents,
        topN: 1,
      });
      expect(best).toEqual(ranking.slice(0, 1));
    }));
});

describe('what does not fit', () => {
  it('an overlong text is an error with its place and both numbers, or is cut with a warning', () =>
    using(conformanceModelPath('bert'), 'native', async (model) => {
      const long = 'river '.repeat(2000);
      await expect(model.embed({ values: ['short', long] })).rejects.toMatchObject({
        code: 'CONTEXT_OVERFLOW',
        message: expect.stringMatching(/values\[1\].*at most \d+/) as string,
      });
      const { embeddings, warnings } = await model.embed({ values: ['short', long], truncate: true });
      expect(embeddings).toHaveLength(2);
      expect(warnings).toEqual([
        expect.objectContaining({ message: expect.stringContaining('values[1] was cut') as string }),
      ]);
    }));

  it.each([
    ['dimensions', { dimensions: 10_000 }],
    ['dimensions', { dimensions: 0 }],
    ['pooling', { pooling: 'rank' as 'mean' }],
  ])('%s that the model does not have', (name, options) =>
    using(conformanceModelPath('bert'), 'native', async (model) => {
      await expect(model.embed({ values: ['a'], ...options })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(name) as string,
      });
    }),
  );

  it('lone surrogates and a megabyte of text are texts like others', () =>
    using(conformanceModelPath('bert'), 'native', async (model) => {
      const values = ['\ud800', 'a'.repeat(2 ** 20), `a\udfff${'b '.repeat(2 ** 18)}`];
      const { embeddings } = await model.embed({ values, truncate: true });
      for (const vector of embeddings) expect(lengthOf(vector)).toBeCloseTo(1, 5);
    }));

  it('an abort ends the request with its reason', () =>
    using(conformanceModelPath('bert'), 'native', async (model) => {
      const abort = new AbortController();
      const values = Array.from({ length: 4000 }, () => 'the river runs to the sea');
      const onProgress = (): void => abort.abort(new Error('enough'));
      await expect(model.embed({ values, signal: abort.signal, onProgress })).rejects.toThrow('enough');
      expect((await model.embed({ values: ['a'] })).embeddings).toHaveLength(1);
    }));

  it('a chat model makes vectors too, with a warning, and does not rank', () =>
    using(write('llama', tinyLlama()), 'native', async (model) => {
      const { embeddings, warnings } = await model.embed({ values: ['a brook'] });
      expect(lengthOf(embeddings[0])).toBeCloseTo(1, 5);
      expect(warnings).toEqual([expect.objectContaining({ type: 'compatibility', feature: 'embed' })]);
      await expect(model.rerank({ query: 'q', documents: ['d'] })).rejects.toMatchObject({
        code: 'UNSUPPORTED',
      });
    }));

  it('damaged weights are an error that names the model', () => {
    const bytes = bytesOf(new Float32Array(32 * 32).fill(Number.NaN));
    const tensors = { 'blk.0.attn_q.weight': { type: 'F32', shape: [32, 32], bytes } } as const;
    return using(write('damaged', tinyLlama({ tensors })), 'native', async (model) => {
      await expect(model.embed({ values: ['a brook'] })).rejects.toMatchObject({
        code: 'WEIGHTS_NOT_FINITE',
        message: expect.stringContaining('"tiny"') as string,
      });
    });
  });

  it('an encoder does not chat', () =>
    using(conformanceModelPath('bert'), 'native', async (model) => {
      const events = model.chat({ messages: [{ role: 'user', content: 'hi' }] });
      await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    }));

  it('a disposed model says so', async () => {
    const { model } = await openModel(nodePlatform, 'tiny', conformanceModelPath('bert'));
    await model.dispose();
    await expect(model.embed({ values: ['a'] })).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

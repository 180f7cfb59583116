import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { pull } from '../../src/index.ts';
import { openEncoder } from '../../src/open-encoder.ts';
import { closeGguf, openGguf } from '../../src/open-gguf.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { Encoder } from '../../src/session/encoder.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';

/** With the similarities that the quick start of sentence-transformers prints for this model. */
const sentences = ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.'];
const similarities = [
  [1, 0.666, 0.1046],
  [0.666, 1, 0.1411],
  [0.1046, 0.1411, 1],
] as const;

function cosine(left: Float32Array | undefined, right: Float32Array | undefined): number {
  const dot = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  if (left === undefined || right === undefined) return Number.NaN;
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

describe('vectors of minilm', () => {
  let native: Encoder;
  let portable: Encoder;
  let texts: Int32Array[];

  beforeAll(async () => {
    const { path } = await pull('minilm');
    native = await openEncoder(nodePlatform, path, { dialect: 'native' });
    portable = await openEncoder(nodePlatform, path, { dialect: 'portable' });
    const gguf = await openGguf(nodePlatform, path);
    const tokenizer = createTokenizer(gguf.metadata);
    await closeGguf(gguf);
    texts = sentences.map((sentence) => tokenizer.encode(sentence, { addSpecial: true }));
  });
  afterAll(async () => {
    await native.dispose();
    await portable.dispose();
  });

  const encode = (encoder: Encoder, which: readonly Int32Array[]): Promise<readonly Float32Array[]> =>
    encoder.encode(which.map((tokens) => ({ tokens, pooling: encoder.info.pooling })));

  it('are as similar as those of sentence-transformers', async () => {
    const vectors = await encode(native, texts);
    for (const [left, row] of similarities.entries()) {
      for (const [right, similarity] of row.entries()) {
        // Weights in F16, and GELU by its tanh form.
        expect(Math.abs(cosine(vectors[left], vectors[right]) - similarity)).toBeLessThan(1e-3);
      }
    }
  });

  it('are those of f32 arithmetic', async () => {
    const [exact, fast] = [await encode(portable, texts), await encode(native, texts)];
    for (const [index, vector] of exact.entries()) {
      expect(cosine(vector, fast[index])).toBeGreaterThan(0.999999);
    }
  });

  it('have the same bits alone and among others, short and long', async () => {
    const long = Int32Array.from({ length: 512 }, (_, index) => 1000 + index);
    const all = [...texts, long, ...texts.toReversed()];
    const together = await encode(native, all);
    for (const [index, tokens] of all.entries()) {
      const [alone] = await encode(native, [tokens]);
      expect(alone).toEqual(together[index]);
    }
  });
});

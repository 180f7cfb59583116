import { describe, expect, it } from 'vitest';

import { closeGguf, openGguf } from '../src/open-gguf.ts';
import { chooseContextLength } from '../src/open-model.ts';
import { tablePlatform } from './support/table-platform.ts';
import { tinyLlamaShape } from './support/tiny-llama.ts';

describe('an automatic context length', () => {
  const { kvHeads, embedding, heads, layers, context } = tinyLlamaShape;
  const widestBytesPerToken = 2 * kvHeads * (embedding / heads) * layers * 4;

  it.each([
    ['f32', 10],
    ['f16', 20],
    ['q8_0', 37],
    ['q4_0', 71],
  ] as const)('is what fits into memory in the form %s', async (cacheType, expected) => {
    const gguf = await openGguf(tablePlatform({}), 'tiny');
    const cacheBudgetBytes = 10 * widestBytesPerToken;
    expect(chooseContextLength(gguf, 'auto', { cacheBudgetBytes, cacheType })).toBe(expected);
    await closeGguf(gguf);
  });

  it('is what the model was trained for when there is memory enough', async () => {
    const gguf = await openGguf(tablePlatform({}), 'tiny');
    const cacheBudgetBytes = 1000 * widestBytesPerToken;
    expect(chooseContextLength(gguf, 'auto', { cacheBudgetBytes, cacheType: 'f32' })).toBe(context);
    await closeGguf(gguf);
  });
});

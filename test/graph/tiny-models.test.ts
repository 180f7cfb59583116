import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { compareTinyModel, readTinyModelCase, withTinySession } from '../support/tiny-model.ts';

const folder = fileURLToPath(new URL('../conformance/tiny-models', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

describe('tiny models give the logits of the reference', () => {
  it.each(names)('%s', async (name) => {
    const testCase = readTinyModelCase(folder, name);
    const figures = await withTinySession(folder, name, (session) => compareTinyModel(session, testCase));
    expect(figures.atOnce, 'whole prompt').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.inChunks, 'chunks of 5 against whole').toBeLessThanOrEqual(1e-4);
    expect(figures.oneByOne, 'with cache against without').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.greedyMatched, 'greedy continuation').toBe(figures.greedyExpected);
  });
});

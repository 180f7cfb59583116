import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { compareTinyModel, readTinyModelCase, withTinySession } from '../support/tiny-model.ts';

const folder = fileURLToPath(new URL('../conformance/tiny-models', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .filter((name) => readTinyModelCase(folder, name).kind === 'decoder');

const dialects = [
  { dialect: 'portable', chunkTolerance: 1e-4 },
  // The same operations in the same order, however the tokens come.
  { dialect: 'native', chunkTolerance: 0 },
] as const;

describe.each(dialects)('tiny models in the $dialect dialect', ({ dialect, chunkTolerance }) => {
  it.each(names)('%s gives the logits of the reference', async (name) => {
    const testCase = readTinyModelCase(folder, name);
    const figures = await withTinySession(folder, name, dialect, (session) =>
      compareTinyModel(session, testCase),
    );
    expect(figures.atOnce, 'whole prompt').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.inChunks, 'chunks of 5 against whole').toBeLessThanOrEqual(chunkTolerance);
    expect(figures.oneByOne, 'with cache against without').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.greedyMatched, 'greedy continuation').toBe(figures.greedyExpected);
  });
});

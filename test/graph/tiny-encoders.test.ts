import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { compareTinyEncoder, readTinyEncoderCase, withTinyEncoder } from '../support/tiny-encoder.ts';
import { readTinyModelCase } from '../support/tiny-model.ts';

const folder = fileURLToPath(new URL('../conformance/tiny-models', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .filter((name) => readTinyModelCase(folder, name).kind === 'encoder');

const dialects = [
  { dialect: 'portable', othersTolerance: 1e-4 },
  // A text's vector does not depend on its neighbours.
  { dialect: 'native', othersTolerance: 0 },
] as const;

describe.each(dialects)('tiny encoders in the $dialect dialect', ({ dialect, othersTolerance }) => {
  it.each(names)('%s gives the vectors of the reference', async (name) => {
    const testCase = readTinyEncoderCase(folder, name);
    const figures = await withTinyEncoder(folder, name, dialect, (encoder) =>
      compareTinyEncoder(encoder, testCase),
    );
    expect(figures.tokens, 'vectors of tokens').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.pooled, 'pooled vectors and scores').toBeLessThanOrEqual(figures.tolerance);
    expect(figures.amongOthers, 'alone against among others').toBeLessThanOrEqual(othersTolerance);
  });
});

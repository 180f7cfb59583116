import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { compareDecoderScores } from '../support/tiny-encoder.ts';
import { readTinyModelCase } from '../support/tiny-model.ts';

const folder = fileURLToPath(new URL('../conformance/tiny-models', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))
  .filter((name) => readTinyModelCase(folder, name).kind === 'decoder');

describe.each(['native', 'portable'] as const)('decoders as encoders in the %s dialect', (dialect) => {
  it.each(names)('%s: scores of tokens are the logits of the reference', async (name) => {
    expect(await compareDecoderScores(folder, name, dialect)).toBeLessThanOrEqual(1);
  });
});

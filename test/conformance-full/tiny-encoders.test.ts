import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { architectures } from '../../src/graph/architectures.ts';
import {
  compareDecoderScores,
  compareTinyEncoder,
  readTinyEncoderCase,
  withTinyEncoder,
} from '../support/tiny-encoder.ts';
import { conformanceFolder } from './conformance-folder.ts';

const folder = join(conformanceFolder(), 'tiny-models');
const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
  models: { name: string; architecture: string; kind: string }[];
};
const names = index.models
  .filter(({ architecture, kind }) => kind === 'encoder' && architectures.has(architecture))
  .map(({ name }) => name);
/** The reference reads no epsilon for qwen2vl, see the decoders' own test. */
const decoders = index.models
  .filter(({ architecture, kind }) => kind === 'decoder' && architectures.has(architecture))
  .map(({ name }) => name)
  .filter((name) => name !== 'qwen2vl');
const rows: string[] = [];

afterAll(() => {
  process.stdout.write(
    ['\nmodel                                tokens    pooled    others    tolerance', ...rows, ''].join(
      '\n',
    ),
  );
});

const dialects = [
  { dialect: 'portable', othersTolerance: 1e-4 },
  // A text's vector does not depend on its neighbours.
  { dialect: 'native', othersTolerance: 0 },
] as const;

describe.each(dialects)('tiny encoders in the $dialect dialect', ({ dialect, othersTolerance }) => {
  it.each(names)('%s', async (name) => {
    const testCase = readTinyEncoderCase(folder, name);
    const figures = await withTinyEncoder(folder, name, dialect, (encoder) =>
      compareTinyEncoder(encoder, testCase),
    );
    rows.push(
      [
        `${name} (${dialect})`.padEnd(36),
        ...[figures.tokens, figures.pooled, figures.amongOthers].map((value) =>
          value.toExponential(1).padEnd(9),
        ),
        figures.tolerance.toExponential(1),
      ].join(' '),
    );
    expect(figures.tokens).toBeLessThanOrEqual(figures.tolerance);
    expect(figures.pooled).toBeLessThanOrEqual(figures.tolerance);
    expect(figures.amongOthers).toBeLessThanOrEqual(othersTolerance);
  });
});

describe.each(['native', 'portable'] as const)('decoders as encoders in the %s dialect', (dialect) => {
  it.each(decoders)('%s', async (name) => {
    expect(await compareDecoderScores(folder, name, dialect)).toBeLessThanOrEqual(1);
  });
});

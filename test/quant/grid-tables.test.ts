import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  evenSigns,
  iq1Grid,
  iq2sGrid,
  iq2xsGrid,
  iq2xxsGrid,
  iq3sGrid,
  iq3xxsGrid,
} from '../../src/quant/grid-tables.ts';

// The cases of the reference data touch only part of the entries. Hashes: of the grids in ggml-common.h,
// byte by byte, the first weight first.
test.each([
  ['iq2xxs_grid', iq2xxsGrid(), 256 * 8, 'ec46ea3456b6e871cc20c02bf21f28e177206310'],
  ['iq2xs_grid', iq2xsGrid(), 512 * 8, '8e3958198f8f4e0facad4557ec92c280c82e5875'],
  ['iq2s_grid', iq2sGrid(), 1024 * 8, '9920e39e4eddeacb16cc178e530adb39aeba8819'],
  ['iq3xxs_grid', iq3xxsGrid(), 256 * 4, 'b4b8d60943d32591d30ca681338fac05687bdb15'],
  ['iq3s_grid', iq3sGrid(), 512 * 4, '66113ffd1207c0500d27b5e9a6683fa2833a787b'],
  [
    'iq1s_grid',
    iq1Grid().map((eighths) => eighths / 8),
    2048 * 8,
    '17259d9e8ae1b8ea650682a0125166df6f293c33',
  ],
] as const)('%s is that of the source, every entry', (_, grid, length, sha1) => {
  expect(grid).toHaveLength(length);
  expect(createHash('sha1').update(grid).digest('hex')).toBe(sha1);
});

test('signs are even in number', () => {
  expect([0, 1, 2, 3, 127].map((bits) => evenSigns[bits])).toEqual([0, 129, 130, 3, 255]);
});

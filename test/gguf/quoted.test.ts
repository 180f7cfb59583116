import { expect, test } from 'vitest';
import { quoted } from '../../src/gguf/quoted.ts';

test('names are cut and cannot steer a terminal', () => {
  expect(quoted('blk.0.attn_q.weight')).toBe('"blk.0.attn_q.weight"');
  expect(quoted('\u001b[2Jgone\n')).toBe('"\\u001b[2Jgone\\n"');
  expect(quoted('k'.repeat(65_000))).toBe(`"${'k'.repeat(120)}…"`);
});

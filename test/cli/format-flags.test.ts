import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { readFormatFlags } from '../../src/cli/format-flags.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reads schemas, grammars and patterns, also from files', async () => {
  const file = join(folder, 'schema.json');
  writeFileSync(file, '{"type":"array"}');
  expect(await readFormatFlags({})).toEqual({});
  expect(await readFormatFlags({ json: true })).toEqual({ responseFormat: { type: 'json' } });
  expect(await readFormatFlags({ jsonSchema: `@${file}` })).toEqual({
    responseFormat: { type: 'json', schema: { type: 'array' } },
  });
  expect(await readFormatFlags({ jsonSchema: 'true' })).toEqual({
    responseFormat: { type: 'json', schema: true },
  });
  expect(await readFormatFlags({ grammar: 'root ::= "a"' })).toEqual({ grammar: { gbnf: 'root ::= "a"' } });
  expect(await readFormatFlags({ regex: 'a+' })).toEqual({ grammar: { regex: 'a+' } });
});

it.each([
  { jsonSchema: '{' },
  { jsonSchema: '[]' },
  { jsonSchema: '@/no/such/file' },
  { json: true, regex: 'a' },
  { grammar: '@' },
])('refuses %j', async (flags) => {
  await expect(readFormatFlags(flags)).rejects.toThrow(/--/);
});

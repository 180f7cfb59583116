import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { conformanceModelPath } from '../support/conformance-model.ts';
import { spawnCli } from './spawn-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-cli-embed-'));
const cache = join(folder, 'cache');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const encoder = conformanceModelPath('bert');
const reranker = conformanceModelPath('bert-rerank');
const linesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

it('embed writes a line of JSON per text, wherever the texts come from', async () => {
  const file = join(folder, 'texts.txt');
  writeFileSync(file, 'a brook\nthe sea\n');
  const [words, lines, read] = await Promise.all([
    spawnCli(['embed', encoder, 'a brook', 'the sea', '--dimensions', '8'], { cache }),
    spawnCli(['embed', encoder, '--dimensions', '8'], { cache, input: 'a brook\nthe sea\n' }),
    spawnCli(['embed', encoder, '--dimensions', '8', '--file', file], { cache }),
  ]);
  expect(words).toMatchObject({ exitCode: 0, stderr: '' });
  expect(linesOf(words.stdout)).toMatchObject([{ index: 0 }, { index: 1 }]);
  const [first] = linesOf(words.stdout) as { embedding: number[] }[];
  expect(first?.embedding).toHaveLength(8);
  expect(lines.stdout).toBe(words.stdout);
  expect(read.stdout).toBe(words.stdout);
}, 60_000);

it('rerank writes documents best first, and needs a query', async () => {
  const documents = ['the sea', 'a river', 'stones'];
  const [ranked, without] = await Promise.all([
    spawnCli(['rerank', reranker, '--query', 'where?', '--top', '2', ...documents], { cache }),
    spawnCli(['rerank', reranker, ...documents], { cache }),
  ]);
  expect(ranked).toMatchObject({ exitCode: 0, stderr: '' });
  const rows = linesOf(ranked.stdout) as { index: number; score: number; document: string }[];
  expect(rows).toHaveLength(2);
  for (const { index, document } of rows) expect(document).toBe(documents[index]);
  expect(rows[0]?.score).toBeGreaterThanOrEqual(rows[1]?.score ?? 1);
  expect(without).toMatchObject({ exitCode: 2 });
  expect(without.stderr).toContain('--query');
}, 60_000);

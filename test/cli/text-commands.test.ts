import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openModel } from '../../src/open-model.ts';
import { nodePlatform } from '../../src/platform-node.ts';
import type { EmbedRequest } from '../../src/index.ts';
import { conformanceModelPath } from '../support/conformance-model.ts';
import { spawnCli } from './spawn-cli.ts';

// Every case starts processes, several at once.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'rivulet-cli-texts-'));
const cache = join(folder, 'cache');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const encoder = conformanceModelPath('bert');
const reranker = conformanceModelPath('bert-rerank');

const jsonLines = (text: string): unknown[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));

async function linesOf(request: EmbedRequest): Promise<unknown[]> {
  const { model } = await openModel(nodePlatform, 'tiny', encoder);
  const { embeddings } = await model.embed(request);
  await model.dispose();
  return embeddings.map((embedding, index) => ({ index, embedding: Array.from(embedding) }));
}

describe('embed', () => {
  it('writes one line of JSON per text, from arguments, a file or standard input', async () => {
    const values = ['a river', '', '-1', 'the sea'];
    const file = join(folder, 'texts.txt');
    writeFileSync(file, `${values.join('\r\n')}\n`);
    const [words, lines, input] = await Promise.all([
      spawnCli(['embed', encoder, '--', ...values], { cache }),
      spawnCli(['embed', encoder, '--file', file], { cache }),
      spawnCli(['embed', encoder], { cache, input: values.join('\n') }),
    ]);
    expect(words).toMatchObject({ exitCode: 0, stderr: '' });
    expect(jsonLines(words.stdout)).toEqual(await linesOf({ values }));
    expect([lines.stdout, input.stdout]).toEqual([words.stdout, words.stdout]);
  });

  it('hands flags to the model', async () => {
    const { stdout } = await spawnCli(
      ['embed', encoder, 'river', '--prefix', 'query: ', '--dimensions', '4', '--pooling', 'mean'],
      { cache },
    );
    const expected = { values: ['river'], prefix: 'query: ', dimensions: 4, pooling: 'mean' } as const;
    expect(jsonLines(stdout)).toEqual(await linesOf(expected));
  });

  it('goes through long inputs in parts, and names lines of any of them', async () => {
    const input = `${'a river\n'.repeat(2500)}${'river '.repeat(2000)}\n`;
    const cut = await spawnCli(['embed', encoder, '--truncate', '--dimensions', '1'], { cache, input });
    expect(cut.exitCode).toBe(0);
    expect(jsonLines(cut.stdout).map((line) => (line as { index: number }).index)).toEqual(
      Array.from({ length: 2501 }, (_, index) => index),
    );
    expect(cut.stderr).toMatch(/^Warning: Line 2501 was cut from \d+ to \d+ tokens\.\n$/);
    const failed = await spawnCli(['embed', encoder, '--dimensions', '1'], { cache, input });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/^CONTEXT_OVERFLOW: Line 2501 is \d+ tokens long/);
  });

  it('says what is wrong with a file', async () => {
    const result = await spawnCli(['embed', encoder, '--file', join(folder, 'none.txt')], { cache });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain('--file needs a file');
  });
});

describe('rerank', () => {
  it('writes documents with scores, best first', async () => {
    const documents = ['the sea', 'a river', 'stones and sand'];
    const query = ['--query', 'where does the river run?'];
    const [all, best] = await Promise.all([
      spawnCli(['rerank', reranker, ...query, ...documents], { cache }),
      spawnCli(['rerank', reranker, ...query, '--top', '1'], { cache, input: documents.join('\n') }),
    ]);
    expect(all).toMatchObject({ exitCode: 0, stderr: '' });
    const found = jsonLines(all.stdout) as { index: number; score: number; document: string }[];
    expect(found.map(({ document }) => document).toSorted()).toEqual(documents.toSorted());
    for (const { index, document } of found) expect(documents[index]).toBe(document);
    const scores = found.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((left, right) => right - left));
    expect(jsonLines(best.stdout)).toEqual(found.slice(0, 1));
  });

  it('needs a model that ranks', async () => {
    const result = await spawnCli(['rerank', encoder, '--query', 'q', 'd'], { cache });
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toMatch(/^UNSUPPORTED: /);
  });
});

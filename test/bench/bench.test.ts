import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

import { temporaryFolder } from '../source/temporary-folder.ts';
import { tinyLlama } from '../support/tiny-llama.ts';
import { watchOthers } from './busy-elsewhere.ts';
import type { Report } from './report.ts';

const bench = ['--disable-warning=ExperimentalWarning', 'test/bench/main.ts'];
const root = fileURLToPath(new URL('../..', import.meta.url));

it('measures a tiny model: table, JSON, and what its context is too short for', async () => {
  const folder = await temporaryFolder();
  const model = join(folder, 'tiny.gguf');
  const json = join(folder, 'report.json');
  writeFileSync(model, tinyLlama());
  const words = ['--quick', '--only', 'load,prefill-128,prefill-512,bandwidth,decode-0,streams'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...bench, model, ...words, '--json', json],
    { cwd: root, env: { ...process.env, RIVULET_CACHE: join(folder, 'cache') }, timeout: 120_000 },
  );
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  const ids = report.rows.map(({ figure }) => figure.id);
  for (const id of [
    'cold-start',
    'load',
    'first-token',
    'prefill-128',
    'decode-0',
    'memory-limit',
    'streams-8',
  ]) {
    expect(ids).toContain(id);
  }
  for (const { figure, ours } of report.rows) {
    // Memory may shrink; all other figures are positive.
    if (figure.unit !== 'MB') expect(ours?.median, figure.id).toBeGreaterThan(0);
    expect(stdout).toContain(`| ${figure.label}`);
  }
  const value = (id: string): number => report.rows.find((row) => row.figure.id === id)?.ours?.median ?? NaN;
  expect(value('cold-start')).toBeGreaterThan(value('load'));
  expect(report.notes).toContainEqual(expect.stringMatching(/^prefill-512 left out: .* the model has 256$/));
  expect(report.disturbances.length).toBe(4);
  expect(report.engines['rivulet']).toMatch(/dialect \w+.*threads \d+/);
}, 120_000);

it('says how it is used, and which word was wrong', async () => {
  const failure: unknown = await promisify(execFile)(process.execPath, [...bench, 'a.gguf', '--quik'], {
    cwd: root,
  }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('--quik') });
  expect(failure).toMatchObject({ stderr: expect.stringContaining('npm run bench -- MODEL') });
});

it('notices what others do meanwhile', async () => {
  const busy = watchOthers();
  const other = spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' });
  const ownEnd = performance.now() + 300;
  while (performance.now() < ownEnd);
  await setTimeout(700);
  other.kill();
  // One core of all, for most of the time; own work, up to half a core here, does not count.
  expect(busy()).toBeGreaterThan(0.3 / cpus().length);
});

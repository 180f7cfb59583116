import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'rivulet-package-'));
const run = promisify(execFile);

beforeAll(async () => {
  await run('npm', ['pack', '--pack-destination', project, '--ignore-scripts'], { cwd: root });
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  writeFileSync(join(project, '.npmrc'), 'onnxruntime-node-install=skip\n');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(project, tarball)], {
    cwd: project,
  });
}, 300_000);
afterAll(() => rmSync(project, { recursive: true, force: true, maxRetries: 3 }));

async function node(source: string): Promise<string> {
  writeFileSync(join(project, 'program.js'), source);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: project, timeout: 240_000 });
  return stdout;
}

describe('the packed package, installed in an empty project', () => {
  it('imports without its optional peers', async () => {
    expect(
      await node(`
        const core = await import('rivulet');
        const testing = await import('rivulet/testing');
        console.log(typeof core.loadModel, typeof testing.scriptedModel);
      `),
    ).toBe('function function\n');
  });

  it('streams the default model', async () => {
    const text = await node(`
      import { loadModel } from 'rivulet';
      const model = await loadModel('smollm2', { contextLength: 512 });
      for await (const event of model.complete({ prompt: 'The capital of France is', maxTokens: 4, temperature: 0 })) {
        if (event.type === 'text-delta') process.stdout.write(event.delta);
      }
      await model.dispose();
    `);
    expect(text).toMatch(/^ Paris/);
  }, 300_000);

  it('has the command', async () => {
    const { stdout } = await run(join(project, 'node_modules/.bin/rivulet'), ['--version'], { cwd: project });
    expect(stdout).toMatch(/\d+\.\d+\.\d+/);
  });
});

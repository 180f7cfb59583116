import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { platformTriple } from '../../src/session/load-native.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const example = join(root, 'examples/next-chat');
const run = promisify(execFile);

/** Made by tools in the example's own folder. */
const generated: ReadonlySet<string> = new Set([
  'node_modules',
  '.next',
  'package-lock.json',
  'next-env.d.ts',
  'tsconfig.tsbuildinfo',
]);

const { NODE_ENV: _testing, ...inherited } = process.env;

/** Of the processes that run the application. */
export const environment: Record<string, string | undefined> = {
  ...inherited,
  NEXT_TELEMETRY_DISABLED: '1',
};

/**
 * The example in a folder of its own outside of this repository, as an application would be: rivulet and its native
 * part are installed packages.
 * @param kernels path of the native addon; undefined = none here
 */
export async function installApp(kernels: string | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-next-chat-'));
  cpSync(example, folder, { recursive: true, filter: (path) => !generated.has(basename(path)) });
  cpSync(fileURLToPath(new URL('routes', import.meta.url)), join(folder, 'app/api'), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  manifest.dependencies.rivulet = `file:${root}`;
  if (kernels !== undefined) {
    const triple = platformTriple();
    const packed = join(folder, '.kernels');
    mkdirSync(packed);
    cpSync(join(root, 'kernels/npm', triple), packed, { recursive: true });
    cpSync(kernels, join(packed, basename(kernels)));
    manifest.dependencies[`@rivulet/kernels-${triple}`] = 'file:.kernels';
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  return folder;
}

export async function buildApp(folder: string): Promise<void> {
  const next = join(folder, 'node_modules/next/dist/bin/next');
  await run(process.execPath, [next, 'build'], {
    cwd: folder,
    env: { ...environment, STANDALONE: '1' },
    maxBuffer: 2 ** 24,
  });
}

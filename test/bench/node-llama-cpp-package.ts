import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { defaultCacheFolder } from '../../src/source/cache-folder.ts';
import { runTool, throwToolFailure } from '../../src/source/run-tool.ts';

/** The version that the goals of the project name. */
export const nodeLlamaCppVersion = '3.22.1';

/** Packages with its binaries for machines without GPU, by platform and architecture. */
const binaryPackages: Readonly<Record<string, string>> = {
  'linux-x64': '@node-llama-cpp/linux-x64',
  'linux-arm64': '@node-llama-cpp/linux-arm64',
  'darwin-arm64': '@node-llama-cpp/mac-arm64-metal',
  'darwin-x64': '@node-llama-cpp/mac-x64',
  'win32-x64': '@node-llama-cpp/win-x64',
  'win32-arm64': '@node-llama-cpp/win-arm64',
};

/**
 * Installs node-llama-cpp into the cache folder, unless it is there, and returns the folder. No scripts run: the
 * binary comes as a package, and the others (GPUs, 600 MB) are left out.
 */
export async function installNodeLlamaCpp(say: (text: string) => void): Promise<string> {
  const cache = defaultCacheFolder();
  const folder = join(cache, 'bench', `node-llama-cpp-${nodeLlamaCppVersion}`);
  if (existsSync(folder)) return folder;
  const platform = `${process.platform}-${process.arch}`;
  const binary = binaryPackages[platform];
  if (binary === undefined) throw new Error(`node-llama-cpp has no binary for ${platform}.`);
  say(`installing node-llama-cpp ${nodeLlamaCppVersion} into ${folder}`);
  // Beside its place and then moved, so that a folder that is there is complete.
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    await writeFile(join(draft, 'package.json'), '{ "private": true }\n');
    const specification = `node-llama-cpp@${nodeLlamaCppVersion}`;
    const result = await runTool(
      'npm',
      ['install', '--prefix', draft, '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'].concat(
        ['--loglevel=error', specification, `${binary}@${nodeLlamaCppVersion}`],
      ),
      { folder: draft },
    );
    if (result === undefined) throw new Error('Expected npm on the path, found none.');
    if (result.exitCode !== 0) throwToolFailure('npm', specification, result, /\bE404\b|\bETARGET\b/, cache);
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

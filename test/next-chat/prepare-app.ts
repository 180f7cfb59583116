import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { platformTriple } from '../../src/session/load-native.ts';
import { findChromium } from './find-chromium.ts';
import { buildApp, installApp } from './install-app.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Path of the native addon; undefined = none here. */
export const kernels = [join(root, `kernels/rivulet.${platformTriple()}.node`)].find(existsSync);

async function prepareApp(): Promise<string> {
  const began = performance.now();
  const folder = await installApp(kernels);
  const installed = performance.now();
  await buildApp(folder);
  const [installMs, buildMs] = [installed - began, performance.now() - installed];
  console.log(`installed in ${(installMs / 1000).toFixed(0)} s, built in ${(buildMs / 1000).toFixed(0)} s`);
  return folder;
}

/**
 * Installs and builds the example once for all files of tests, which find its folder in `NEXT_CHAT_APP`; one that is
 * given there already is taken as it is, to work on these tests.
 */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env['NEXT_CHAT_APP'] !== undefined || findChromium() === undefined) return undefined;
  const folder = await prepareApp();
  process.env['NEXT_CHAT_APP'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

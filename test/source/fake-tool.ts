import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

/**
 * Puts an executable of that name on a PATH that has nothing else. Its body is a Node script with
 * `words` (its arguments) and `fs`.
 */
export async function fakeTool(folder: string, name: string, body: string): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const path = join(bin, name);
  await writeFile(
    path,
    `#!${process.execPath}\nconst fs = require('node:fs');\nconst words = process.argv.slice(2);\n${body}\n`,
  );
  await chmod(path, 0o755);
  onlyOnPath(bin);
}

export function onlyOnPath(folder: string): void {
  vi.stubEnv('PATH', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
}

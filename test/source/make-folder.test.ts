import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../src/source/make-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

it('makes a folder and those above it, however many ask at once', async () => {
  const root = await temporaryFolder();
  for (let round = 0; round < 50; round++) {
    const folders = ['a/b/c/d', 'a/b/c/e', 'a/b', 'a/b/c/d', 'a/x/y'].map((path) =>
      join(root, String(round), path),
    );
    await Promise.all(folders.map((folder) => makeFolder(folder)));
    for (const folder of folders) expect(statSync(folder).isDirectory()).toBe(true);
  }
});

it.runIf(process.platform === 'linux')('says that a file system takes no folders', async () => {
  await expect(makeFolder('/proc/no/such/place')).rejects.toMatchObject({ code: 'EROFS' });
});

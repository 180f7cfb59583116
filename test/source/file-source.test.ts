import { mkdtempSync } from 'node:fs';
import { mkdir, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { openFileSource } from '../../src/source/file-source.ts';
import { byteSourceContract } from '../contract/byte-source.ts';
import { temporaryFolder } from './temporary-folder.ts';

const shared = mkdtempSync(join(tmpdir(), 'rivulet-test-'));
afterAll(() => rm(shared, { recursive: true, force: true }));
let count = 0;

byteSourceContract('file', async (bytes) => {
  const path = join(shared, `${count++}.gguf`);
  await writeFile(path, bytes);
  return openFileSource(path);
});

describe('openFileSource', () => {
  it('resolves symbolic links in its path but keeps the given name', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'blob'), 'abc');
    await symlink(join(folder, 'blob'), join(folder, 'model.gguf'));
    const source = await openFileSource(join(folder, 'model.gguf'));
    expect(source.path).toBe(await realpath(join(folder, 'blob')));
    expect(source.name).toBe(join(folder, 'model.gguf'));
    await source.close();
  });

  it('says when nothing is there', async () => {
    await expect(openFileSource('/no/such/model.gguf')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  it('says when a part of the path is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(openFileSource(join(folder, 'file', 'model.gguf'))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
  });

  it('lists the models of a folder', async () => {
    const folder = await temporaryFolder();
    for (const name of ['b.gguf', 'a.GGUF', 'notes.txt']) await writeFile(join(folder, name), '');
    await expect(openFileSource(folder)).rejects.toMatchObject({
      code: 'SOURCE_NOT_A_FILE',
      message: expect.stringContaining('found a folder with a.GGUF, b.gguf.'),
    });
  });

  it('says when a folder has no models', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'sub'));
    await expect(openFileSource(folder)).rejects.toMatchObject({
      code: 'SOURCE_NOT_A_FILE',
      message: expect.stringContaining('without GGUF files'),
    });
  });

  it('says that a socket is no file, without opening it', async () => {
    const path = join(await temporaryFolder(), 'socket');
    const server = createServer();
    await new Promise<void>((settle) => {
      server.listen(path, settle);
    });
    onTestFinished(() => void server.close());
    await expect(openFileSource(path)).rejects.toMatchObject({
      code: 'SOURCE_NOT_A_FILE',
      message: expect.stringContaining('socket'),
    });
  });

  it('notices a file that became shorter', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'model.gguf');
    await writeFile(path, new Uint8Array(1000));
    const source = await openFileSource(path);
    await truncate(path, 600);
    await expect(source.read(500, 500)).rejects.toMatchObject({
      code: 'SOURCE_TRUNCATED',
      message: expect.stringContaining('ends at 600'),
    });
    await source.close();
  });
});

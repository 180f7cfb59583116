import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, readdir, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCache } from '../../src/source/disk-cache.ts';
import type { Producer } from '../../src/source/disk-cache.ts';
import { loopbackHub } from './loopback-hub.ts';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const fetchOnce = new URL('fetch-once.ts', import.meta.url).pathname;
const content = Buffer.from('model '.repeat(50_000));
const sha256 = createHash('sha256').update(content).digest('hex');

const produceContent: Producer = async (sink) => {
  for (let at = 0; at < content.length; at += 10_000) await sink.write(content.subarray(at, at + 10_000));
};

const mustNotRun: Producer = () => Promise.reject(new Error('The entry was produced again.'));

/** All files below a folder. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => item.name)
    .toSorted();
}

describe('fetch', () => {
  it('produces once, keeps checksum and size, and leaves nothing else behind', async () => {
    const cache = openCache(await temporaryFolder());
    const first = await cache.fetch('hf/o/r', 'model.gguf', produceContent);
    expect(first).toEqual({ path: join(cache.folder, 'hf/o/r/model.gguf'), bytes: content.length, sha256 });
    expect(await readFile(first.path)).toEqual(content);
    expect(await cache.fetch('hf/o/r', 'model.gguf', mustNotRun)).toEqual(first);
    expect(await cache.find('hf/o/r', 'model.gguf')).toEqual(first);
    expect(filesOf(cache.folder)).toEqual(['model.gguf', 'model.gguf.json']);
  });

  it('keeps nothing of a producer that fails, and works the next time', async () => {
    const cache = openCache(await temporaryFolder());
    const reason = new Error('network');
    const broken: Producer = async (sink) => {
      await sink.write(content.subarray(0, 1000));
      throw reason;
    };
    await expect(cache.fetch('key', 'model.gguf', broken)).rejects.toBe(reason);
    expect(filesOf(cache.folder)).toEqual([]);
    expect(await cache.find('key', 'model.gguf')).toBeUndefined();
    expect(await cache.fetch('key', 'model.gguf', produceContent)).toMatchObject({ sha256 });
  });

  it('rethrows the reason of an abort and keeps nothing', async () => {
    const cache = openCache(await temporaryFolder());
    const controller = new AbortController();
    const reason = new Error('enough');
    const endless: Producer = async (sink) => {
      for (;;) {
        await sink.write(content);
        controller.abort(reason);
      }
    };
    await expect(cache.fetch('key', 'm', endless, { signal: controller.signal })).rejects.toBe(reason);
    expect(filesOf(cache.folder)).toEqual([]);
  });

  it.each([
    ['has another size', async (path: string) => truncate(path, 100)],
    ['has no checksum beside it', async (path: string) => writeFile(`${path}.json`, '')],
    [
      'belongs to another key',
      async (path: string) =>
        writeFile(`${path}.json`, JSON.stringify({ key: 'other', bytes: content.length, sha256 })),
    ],
  ])('does not take a file that %s', async (_, damage) => {
    const cache = openCache(await temporaryFolder());
    const { path } = await cache.fetch('key', 'model.gguf', produceContent);
    await damage(path);
    expect(await cache.find('key', 'model.gguf')).toBeUndefined();
    expect(await cache.fetch('key', 'model.gguf', produceContent)).toMatchObject({ sha256 });
    expect(await readFile(path)).toEqual(content);
  });

  it('compares the content when asked to', async () => {
    const cache = openCache(await temporaryFolder());
    const { path } = await cache.fetch('key', 'model.gguf', produceContent);
    expect(await cache.find('key', 'model.gguf', { verify: true })).toMatchObject({ sha256 });
    const changed = Buffer.from(content);
    changed[77]! ^= 1;
    await writeFile(path, changed);
    await expect(cache.find('key', 'model.gguf', { verify: true })).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
  });

  it('stays in its folder whatever the key', async () => {
    const cache = openCache(await temporaryFolder());
    const names = ['../../x', '..', '/', 'a\\b', 'nul', `${'x'.repeat(500)}.gguf`, 'ü:*?', 'a', 'A'];
    const paths = new Set<string>();
    for (const name of names) {
      const { path } = await cache.fetch(name, `file-${name}`, produceContent);
      expect(path.startsWith(`${cache.folder}/`)).toBe(true);
      paths.add(path);
    }
    expect(paths.size).toBe(names.length);
  });
});

describe('one writer at a time', () => {
  it('lets callers of one process share the work', async () => {
    const cache = openCache(await temporaryFolder());
    let count = 0;
    const slow: Producer = async (sink, report) => {
      count += 1;
      await delay(200);
      await produceContent(sink, report);
    };
    const results = await Promise.all([1, 2, 3].map(() => cache.fetch('key', 'model.gguf', slow)));
    expect(results.map((result) => result.sha256)).toEqual([sha256, sha256, sha256]);
    expect(count).toBe(1);
  });

  it('lets two processes download one file once', async () => {
    const folder = await temporaryFolder();
    const hub = await loopbackHub({
      '/model.gguf': (_, response) => {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 1000));
        setTimeout(() => response.end(content.subarray(1000)), 800);
      },
    });
    const start = (): Promise<{ stdout: string }> =>
      run(process.execPath, [fetchOnce, folder, `${hub.url}/model.gguf`]);
    const outputs = await Promise.all([start(), start()]);
    const results = outputs.map(({ stdout }) => JSON.parse(stdout) as { sha256: string; isWaiting: boolean });
    expect(results.map((result) => result.sha256)).toEqual([sha256, sha256]);
    expect(results.map((result) => result.isWaiting).toSorted()).toEqual([false, true]);
    expect(hub.requests).toEqual(['/model.gguf']);
    expect(filesOf(folder)).toEqual(['model.gguf', 'model.gguf.json']);
  });

  it('takes over from a process that was killed in the middle', async () => {
    const folder = await temporaryFolder();
    const hub = await loopbackHub({
      '/model.gguf': (_, response) => {
        response.writeHead(200, { 'content-length': content.length });
        if (hub.requests.length > 1) response.end(content);
        else response.write(content.subarray(0, 1000));
      },
    });
    const child = spawn(process.execPath, [fetchOnce, folder, `${hub.url}/model.gguf`]);
    await waitFor(() => hub.requests.length === 1);
    child.kill('SIGKILL');
    await new Promise((settle) => {
      child.once('exit', settle);
    });
    expect(filesOf(folder)).toContain('model.gguf.lock');
    expect(filesOf(folder).some((name) => name.endsWith('.partial'))).toBe(true);
    expect(await openCache(folder).find('key', 'model.gguf')).toBeUndefined();
    const { stdout } = await run(process.execPath, [fetchOnce, folder, `${hub.url}/model.gguf`]);
    expect(JSON.parse(stdout)).toMatchObject({ sha256, bytes: content.length });
    expect(filesOf(folder)).toEqual(['model.gguf', 'model.gguf.json']);
  });

  it('waits for a holder on another machine while its heartbeat goes on, and can be aborted', async () => {
    const cache = openCache(await temporaryFolder());
    await mkdir(join(cache.folder, 'key'));
    const lock = join(cache.folder, 'key', 'model.gguf.lock');
    await writeFile(lock, JSON.stringify({ token: 't', pid: 1, host: `not-${hostname()}` }));
    const beat = setInterval(() => void utimes(lock, new Date(), new Date()), 50);
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = cache.fetch('key', 'model.gguf', mustNotRun, { signal: controller.signal });
    await delay(400);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    clearInterval(beat);
    expect(filesOf(cache.folder)).toEqual(['model.gguf.lock']);
  });
});

describe('failures of the disk', () => {
  it('says that the folder cannot be one', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    // Nobody, root neither, makes folders below /proc.
    for (const path of [join(folder, 'file'), join(folder, 'file', 'below'), '/proc/rivulet/cache']) {
      const cache = openCache(path);
      const expected = {
        code: 'CACHE_UNWRITABLE',
        message: expect.stringMatching(new RegExp(`${path}.*RIVULET_CACHE`)),
      };
      await expect(cache.fetch('key', 'm', produceContent)).rejects.toMatchObject(expected);
      await expect(cache.produceFile('key', 'm', async () => undefined)).rejects.toMatchObject(expected);
      await expect(cache.withTemporaryFolder(async () => undefined)).rejects.toMatchObject(expected);
    }
  });

  it('says that the disk is full, keeps nothing, and works when there is room again', async () => {
    const cache = openCache(await temporaryFolder());
    const full = Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
    const expected = { code: 'DISK_FULL', cause: full, message: expect.stringContaining(cache.folder) };
    const producer: Producer = async (sink) => {
      await sink.write(content);
      throw full;
    };
    await expect(cache.fetch('key', 'm', producer)).rejects.toMatchObject(expected);
    const writer = async (path: string): Promise<void> => {
      await writeFile(path, content);
      throw full;
    };
    await expect(cache.produceFile('key', 'm', writer)).rejects.toMatchObject(expected);
    expect(filesOf(cache.folder)).toEqual([]);
    expect(await cache.fetch('key', 'm', produceContent)).toMatchObject({ sha256 });
  });

  it('leaves errors alone that are not about the cache', async () => {
    const cache = openCache(await temporaryFolder());
    const other = Object.assign(new Error('permission denied, open /etc/secret'), { code: 'EACCES' });
    await expect(cache.fetch('key', 'm', () => Promise.reject(other))).rejects.toBe(other);
  });
});

describe('produceFile', () => {
  it('gives the writer a temporary path and keeps the result', async () => {
    const cache = openCache(await temporaryFolder());
    let given = '';
    const entry = await cache.produceFile('portable-1', 'weights.bin', async (path) => {
      given = path;
      await writeFile(path, content);
    });
    expect(entry).toEqual({ path: join(cache.folder, 'portable-1/weights.bin'), bytes: content.length });
    expect(given).not.toBe(entry.path);
    await expect(stat(given)).rejects.toMatchObject({ code: 'ENOENT' });
    const again = await cache.produceFile('portable-1', 'weights.bin', () =>
      Promise.reject(new Error('again')),
    );
    expect(again).toEqual(entry);
  });

  it('does not pass for a fetched file: it has no checksum', async () => {
    const cache = openCache(await temporaryFolder());
    await cache.produceFile('key', 'm', (path) => writeFile(path, content));
    expect(await cache.find('key', 'm')).toBeUndefined();
  });
});

describe('withTemporaryFolder', () => {
  it('is removed after success, failure and a crash of its owner', async () => {
    const cache = openCache(await temporaryFolder());
    // A process identifier above every system's limit is that of no process.
    const stale = join(cache.folder, 'temporary', '99999999.left');
    await mkdir(stale, { recursive: true });
    await cache.withTemporaryFolder((folder) => writeFile(join(folder, 'x'), 'x'));
    const reason = new Error('failed');
    await expect(
      cache.withTemporaryFolder(async (folder) => {
        await writeFile(join(folder, 'x'), 'x');
        throw reason;
      }),
    ).rejects.toBe(reason);
    expect(await readdir(join(cache.folder, 'temporary'))).toEqual([]);
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('The condition did not come true.');
    await delay(20);
  }
}

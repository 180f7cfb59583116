import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RivuletError } from '../errors.ts';
import type { Progress, ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';
import { cacheError, fullDiskError, systemCode } from './cache-error.ts';
import { defaultCacheFolder } from './cache-folder.ts';
import { acquireLock, isProcessAlive } from './cache-lock.ts';
import { cachePathOf } from './cache-path.ts';
import { hashFile } from './hash-file.ts';
import { makeFolder } from './make-folder.ts';

/** A complete file of the cache. */
interface CacheEntry {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
}

/** A file that came from elsewhere, with the checksum of what came. */
export interface FetchedEntry extends CacheEntry {
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface CacheOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** Compare the whole content with the kept checksum, not only the size. @default false */
  readonly verify?: boolean;
}

/** Writes the file's bytes in order into the sink; what it throws ends the fetch. */
export type Producer = (sink: ByteSink, report: ProgressListener) => Promise<void>;

/**
 * Files kept on disk under a key and a name. A file is there completely or not at all: it is written
 * beside its place and renamed, and only one process at a time writes an entry.
 */
export interface DiskCache {
  readonly folder: string;
  /** The file if it is complete. @throws {RivuletError} `CHECKSUM_MISMATCH` with `verify` */
  find(key: string, fileName: string, options?: CacheOptions): Promise<FetchedEntry | undefined>;
  /**
   * The file, produced first if it is not there.
   * @throws {RivuletError} `DISK_FULL`, `CACHE_UNWRITABLE`, `CHECKSUM_MISMATCH` with `verify`
   */
  fetch(key: string, fileName: string, produce: Producer, options?: CacheOptions): Promise<FetchedEntry>;
  /**
   * The same for content derived from other files: `write` fills a temporary path. Has no checksum.
   * @throws {RivuletError} `DISK_FULL`, `CACHE_UNWRITABLE`
   */
  produceFile(
    key: string,
    fileName: string,
    write: (path: string) => Promise<void>,
    options?: CacheOptions,
  ): Promise<CacheEntry>;
  /** Runs `use` with a folder of its own on the cache's disk and removes it afterwards. */
  withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
}

/** What is kept beside a file, as JSON. */
interface Sidecar {
  readonly key: string;
  readonly bytes: number;
  readonly sha256?: string;
}

interface Entry {
  readonly key: string;
  readonly fileName: string;
  readonly folder: string;
  readonly path: string;
}

/** Opens the cache; nothing is created before the first write. @default the folder of {@link defaultCacheFolder} */
export function openCache(folder: string = defaultCacheFolder()): DiskCache {
  const root = resolve(folder);
  const entryOf = (key: string, fileName: string): Entry => {
    const place = cachePathOf(key, fileName);
    const entryFolder = join(root, ...place.folders);
    return { key, fileName: place.fileName, folder: entryFolder, path: join(entryFolder, place.fileName) };
  };
  return {
    folder: root,
    find: (key, fileName, options = {}) => findFetched(entryOf(key, fileName), options),
    fetch: (key, fileName, produce, options = {}) =>
      fetchEntry(root, entryOf(key, fileName), produce, options),
    produceFile: (key, fileName, write, options = {}) =>
      produceEntry(root, entryOf(key, fileName), write, options),
    withTemporaryFolder: (use) => withTemporaryFolder(root, use),
  };
}

async function fetchEntry(
  root: string,
  entry: Entry,
  produce: Producer,
  options: CacheOptions,
): Promise<FetchedEntry> {
  return underLock(
    root,
    entry,
    () => findFetched(entry, options),
    async (temporaryPath) => {
      const hash = createHash('sha256');
      const file = await open(temporaryPath, 'wx');
      let bytes = 0;
      try {
        const sink: ByteSink = {
          async write(chunk) {
            options.signal?.throwIfAborted();
            hash.update(chunk);
            let done = 0;
            while (done < chunk.length) done += (await file.write(chunk, done)).bytesWritten;
            bytes += chunk.length;
          },
        };
        await produce(sink, options.onProgress ?? (() => undefined));
        options.signal?.throwIfAborted();
        await file.sync();
      } finally {
        await file.close();
      }
      return { path: entry.path, bytes, sha256: hash.digest('hex') };
    },
    options,
  );
}

async function produceEntry(
  root: string,
  entry: Entry,
  write: (path: string) => Promise<void>,
  options: CacheOptions,
): Promise<CacheEntry> {
  return underLock(
    root,
    entry,
    async () => {
      const sidecar = await readSidecar(entry);
      return sidecar === undefined ? undefined : { path: entry.path, bytes: sidecar.bytes };
    },
    async (temporaryPath) => {
      await write(temporaryPath);
      options.signal?.throwIfAborted();
      const file = await open(temporaryPath, 'r+');
      try {
        await file.sync();
        return { path: entry.path, bytes: (await file.stat()).size };
      } finally {
        await file.close();
      }
    },
    options,
  );
}

/** Find, or lock, find again, produce beside the place, rename. */
async function underLock<T extends CacheEntry>(
  root: string,
  entry: Entry,
  find: () => Promise<T | undefined>,
  produce: (temporaryPath: string) => Promise<T>,
  options: CacheOptions,
): Promise<T> {
  options.signal?.throwIfAborted();
  const present = await find();
  if (present !== undefined) return present;
  const inCache = async <R>(work: () => Promise<R>): Promise<R> => {
    try {
      return await work();
    } catch (error) {
      if (error === options.signal?.reason) throw error;
      throw cacheError(error, root);
    }
  };
  await inCache(() => makeFolder(entry.folder));
  const lock = await inCache(() =>
    acquireLock(`${entry.path}.lock`, {
      signal: options.signal,
      onWait: () => reportWaiting(entry, options),
    }),
  );
  const temporaryPath = `${entry.path}.${process.pid}.${randomUUID()}.partial`;
  try {
    const producedMeanwhile = await find();
    if (producedMeanwhile !== undefined) return producedMeanwhile;
    await inCache(() => removeLeftovers(entry));
    let produced: T;
    try {
      produced = await produce(temporaryPath);
    } catch (error) {
      // Reads of the producer may fail with codes that say nothing about the cache; a full disk is one.
      throw fullDiskError(error, root) ?? (systemCode(error) === 'EROFS' ? cacheError(error, root) : error);
    }
    await inCache(async () => {
      await rename(temporaryPath, entry.path);
      await writeSidecar(entry, produced);
    });
    return produced;
  } finally {
    await rm(temporaryPath, { force: true });
    await lock.release();
  }
}

async function findFetched(entry: Entry, options: CacheOptions): Promise<FetchedEntry | undefined> {
  const sidecar = await readSidecar(entry);
  if (sidecar?.sha256 === undefined) return undefined;
  if (options.verify === true) {
    const found = await hashFile(entry.path, entry.fileName, options);
    if (found !== sidecar.sha256) {
      throw new RivuletError(
        'CHECKSUM_MISMATCH',
        `Expected "${entry.path}" to have the SHA-256 ${sidecar.sha256} it was fetched with, found ${found}. The file was changed or the disk is failing; delete it to fetch it again.`,
        { details: { path: entry.path, expected: sidecar.sha256, found } },
      );
    }
  }
  return { path: entry.path, bytes: sidecar.bytes, sha256: sidecar.sha256 };
}

/** What is kept beside a file whose size agrees with it. */
async function readSidecar(entry: Entry): Promise<Sidecar | undefined> {
  try {
    const { size } = await stat(entry.path);
    const sidecar: unknown = JSON.parse(await readFile(`${entry.path}.json`, 'utf8'));
    if (typeof sidecar !== 'object' || sidecar === null) return undefined;
    const { key, bytes, sha256 } = sidecar as Partial<Record<keyof Sidecar, unknown>>;
    if (key !== entry.key || bytes !== size) return undefined;
    return { key: entry.key, bytes: size, ...(typeof sha256 === 'string' ? { sha256 } : {}) };
  } catch {
    // Whatever keeps us from reading an entry makes it absent; producing it again says what is wrong.
    return undefined;
  }
}

async function writeSidecar(
  entry: Entry,
  produced: CacheEntry & { readonly sha256?: string },
): Promise<void> {
  const sidecar: Sidecar = {
    key: entry.key,
    bytes: produced.bytes,
    ...(produced.sha256 === undefined ? {} : { sha256: produced.sha256 }),
  };
  const temporaryPath = `${entry.path}.${process.pid}.${randomUUID()}.partial`;
  await writeFile(temporaryPath, JSON.stringify(sidecar));
  await rename(temporaryPath, `${entry.path}.json`);
}

async function reportWaiting(entry: Entry, options: CacheOptions): Promise<void> {
  if (options.onProgress === undefined) return;
  let doneBytes: number | undefined;
  for (const name of await partialsOf(entry)) {
    const found = await stat(join(entry.folder, name)).catch(() => undefined);
    if (found !== undefined) doneBytes = Math.max(doneBytes ?? 0, found.size);
  }
  const progress: Progress = {
    phase: 'download',
    label: `waiting for another process to fetch ${entry.fileName}`,
    ...(doneBytes === undefined ? {} : { doneBytes }),
  };
  options.onProgress(progress);
}

/** Removes what processes of this machine left when they died; called under the entry's lock. */
async function removeLeftovers(entry: Entry): Promise<void> {
  for (const name of await partialsOf(entry)) {
    const pid = Number(name.slice(entry.fileName.length + 1).split('.')[0]);
    if (!isProcessAlive(pid)) await rm(join(entry.folder, name), { force: true });
  }
}

async function partialsOf(entry: Entry): Promise<string[]> {
  const names = await readdir(entry.folder);
  return names.filter((name) => name.startsWith(`${entry.fileName}.`) && name.endsWith('.partial'));
}

async function withTemporaryFolder<T>(root: string, use: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(root, 'temporary');
  const folder = join(parent, `${process.pid}.${randomUUID()}`);
  try {
    await makeFolder(folder);
    for (const name of await readdir(parent)) {
      if (!isProcessAlive(Number(name.split('.')[0]))) {
        await rm(join(parent, name), { recursive: true, force: true });
      }
    }
  } catch (error) {
    throw cacheError(error, root);
  }
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

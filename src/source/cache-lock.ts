import { randomUUID } from 'node:crypto';
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from './cache-error.ts';

export interface CacheLock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called about every {@link pollMs} while another holder has the lock. */
  readonly onWait?: () => Promise<void>;
}

interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** Short against any download, long against the cost of one look. */
const pollMs = 150;

const heartbeatMs = 1000;

/** No holder's event loop stands still this long; after it a lock of another machine counts as left behind. */
const staleMs = 30_000;

/**
 * Takes the lock file at `path`, waiting for whoever holds it. A lock whose process died, or whose
 * heartbeat stopped, is taken over; in the worst case two holders then do the same work twice, which
 * the cache's rename makes harmless.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<CacheLock> {
  const mine: Holder = { token: randomUUID(), pid: process.pid, host: hostname() };
  let seen = { mark: '', sinceMs: performance.now() };
  for (;;) {
    options.signal?.throwIfAborted();
    if (await tryCreate(path, mine)) return keepAlive(path, mine);
    const { holder, mark } = await look(path);
    if (mark !== seen.mark) seen = { mark, sinceMs: performance.now() };
    // The heartbeat is compared with itself over our own clock: machines' clocks may differ.
    const silent = performance.now() - seen.sinceMs > staleMs;
    if (mark !== '' && (silent || (holder !== undefined && isDead(holder)))) {
      await takeAway(path, holder?.token);
      continue;
    }
    await options.onWait?.();
    await delay(pollMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
      (error: unknown) => {
        options.signal?.throwIfAborted();
        throw error;
      },
    );
  }
}

async function tryCreate(path: string, mine: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(mine), { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // Windows answers EPERM while a removed file is still open elsewhere.
    if (systemCode(error) === 'EPERM' && (await exists(path))) return false;
    throw error;
  }
}

function keepAlive(path: string, mine: Holder): CacheLock {
  const timer = setInterval(() => {
    const now = new Date();
    // A failed heartbeat costs at most a second download.
    utimes(path, now, now).catch(() => undefined);
  }, heartbeatMs);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      const { holder } = await look(path);
      if (holder?.token === mine.token) await unlink(path).catch(ignoreMissing);
    },
  };
}

/** Who holds the lock, and a mark that changes with every heartbeat; an empty mark when nobody does. */
async function look(path: string): Promise<{ holder: Holder | undefined; mark: string }> {
  try {
    const text = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    return { holder: parseHolder(text), mark: `${text} ${mtimeMs}` };
  } catch (error) {
    ignoreMissing(error);
    return { holder: undefined, mark: '' };
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { token, pid, host } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof token !== 'string' || typeof pid !== 'number' || typeof host !== 'string') return undefined;
    return { token, pid, host };
  } catch {
    // Its holder is between creating and writing it.
    return undefined;
  }
}

function isDead(holder: Holder): boolean {
  return holder.host === hostname() && !isProcessAlive(holder.pid);
}

/** Whether a process of this machine runs; one of another user counts as running. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Two waiters may both find a lock stale: it is moved aside, and put back if it was a fresh one by then. */
async function takeAway(path: string, token: string | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    ignoreMissing(error);
    return;
  }
  const moved = parseHolder(await readFile(aside, 'utf8'));
  if (moved !== undefined && moved.token !== token) {
    await link(aside, path).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
  }
  await unlink(aside).catch(ignoreMissing);
}

async function exists(path: string): Promise<boolean> {
  return (await look(path)).mark !== '';
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

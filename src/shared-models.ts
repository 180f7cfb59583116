import { RivuletError } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import type { GenerateEvent, Progress, ProgressListener } from './events.ts';
import type { LoadOptions, Model } from './model.ts';

/** A model that several users may hold by the same name; cheap to make, loaded on first use. */
export interface SharedModel {
  /** Loads on first use. An abort ends only the wait of this caller. */
  acquire(signal?: AbortSignal): Promise<Model>;
  /**
   * Unloads the engine, for everyone who shares it, as soon as no stream runs on it any more; the next request loads
   * it again. A model that was loaded by someone else stays.
   */
  release(): Promise<void>;
}

/** Options of one shared model; equal references with equal options share one engine. */
export interface SharedLoadOptions extends LoadOptions {
  /** Idle engines are unloaded after this many milliseconds; Infinity = never. @default 300000 */
  readonly keepAliveMs?: number;
}

interface Entry {
  readonly model: Promise<Model>;
  /** Of those who wait for the model; empty once it is loaded. */
  readonly listeners: Set<ProgressListener>;
  /** The latest while the model loads, for those who come later. */
  progress?: Progress;
  /** Streams that have begun and not ended; some may never be read again, and nobody tells. */
  streams: number;
  /** Events that are being waited for. */
  pulls: number;
  idle?: ReturnType<typeof setTimeout>;
  /** Somebody waits for the last stream to end. */
  released?: PromiseWithResolvers<void>;
}

/** One per process, whichever copy of the package asks: hot reload and route bundles make several. */
const registryKey: unique symbol = Symbol.for('rivulet.runtime') as never;

const defaultKeepAliveMs = 300_000;

const lostEngine: ReadonlySet<ErrorCode> = new Set(['WORKER_FAILED', 'DISPOSED']);

/** Timers beyond this fire at once; so long is for ever. */
const longestTimerMs = 2 ** 31 - 1;

/** An engine with begun streams stays at least so long: by then those that nobody reads are given up. */
const abandonedStreamMs = 90_000;

function registry(): Map<string, Entry> {
  const holder = globalThis as { [registryKey]?: Map<string, Entry> };
  return (holder[registryKey] ??= new Map<string, Entry>());
}

/** Shares what `load` makes. A loaded model is passed through as it is. */
export function shareModel(
  load: (reference: string, options: LoadOptions) => Promise<Model>,
  model: string | Model,
  options: SharedLoadOptions = {},
): SharedModel {
  if (typeof model !== 'string') {
    return {
      acquire: (signal) => {
        signal?.throwIfAborted();
        return Promise.resolve(model);
      },
      release: () => Promise.resolve(),
    };
  }
  const { keepAliveMs = defaultKeepAliveMs, onProgress, signal: _signal, ...rest } = options;
  const key = JSON.stringify([model, Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

  const open = (): Entry => {
    const entries = registry();
    const known = entries.get(key);
    if (known !== undefined) return known;
    const listeners = new Set<ProgressListener>();
    const tell = (progress: Progress): void => {
      entry.progress = progress;
      for (const listener of listeners) listener(progress);
    };
    const entry: Entry = {
      model: Promise.resolve().then(() => load(model, { ...rest, onProgress: tell })),
      listeners,
      streams: 0,
      pulls: 0,
    };
    entries.set(key, entry);
    entry.model.then(
      () => delete entry.progress,
      // A failed load is not kept: the next call tries again.
      () => entries.delete(key),
    );
    return entry;
  };

  const forget = (entry: Entry): void => {
    if (registry().get(key) === entry) registry().delete(key);
  };

  const unload = async (entry: Entry): Promise<void> => {
    clearTimeout(entry.idle);
    forget(entry);
    const loaded = await entry.model.catch(() => undefined);
    await loaded?.dispose();
  };

  const scheduleUnload = (entry: Entry): void => {
    clearTimeout(entry.idle);
    if (entry.released !== undefined) {
      if (entry.streams === 0) entry.released.resolve(unload(entry));
      return;
    }
    if (entry.pulls > 0 || keepAliveMs > longestTimerMs) return;
    const delayMs = entry.streams > 0 ? Math.max(keepAliveMs, abandonedStreamMs) : keepAliveMs;
    entry.idle = setTimeout(() => void unload(entry), delayMs);
    unref(entry.idle);
  };

  const tracked = (entry: Entry, loaded: Model): Model => {
    const track = async function* (
      events: AsyncIterable<GenerateEvent>,
    ): AsyncGenerator<GenerateEvent, void, undefined> {
      const iterator = events[Symbol.asyncIterator]();
      entry.streams += 1;
      try {
        for (;;) {
          entry.pulls += 1;
          clearTimeout(entry.idle);
          const next = await iterator.next().finally(() => {
            entry.pulls -= 1;
            scheduleUnload(entry);
          });
          if (next.done === true) return;
          yield next.value;
        }
      } catch (error) {
        // An engine whose thread is gone never comes back: the next call loads again.
        if (RivuletError.isInstance(error) && lostEngine.has(error.code)) forget(entry);
        throw error;
      } finally {
        entry.streams -= 1;
        await iterator.return?.();
        scheduleUnload(entry);
      }
    };
    /** An engine that computes is not idle. */
    const busy = async <T>(work: Promise<T>): Promise<T> => {
      entry.pulls += 1;
      clearTimeout(entry.idle);
      try {
        return await work;
      } catch (error) {
        if (RivuletError.isInstance(error) && lostEngine.has(error.code)) forget(entry);
        throw error;
      } finally {
        entry.pulls -= 1;
        scheduleUnload(entry);
      }
    };
    return {
      ...loaded,
      embed: (request) => busy(loaded.embed(request)),
      rerank: (request) => busy(loaded.rerank(request)),
      chat: (request) => track(loaded.chat(request)),
      complete: (request) => track(loaded.complete(request)),
    };
  };

  return {
    acquire: async (signal) => {
      signal?.throwIfAborted();
      const entry = open();
      const loaded = await listening(entry, onProgress, unlessAborted(entry.model, signal));
      scheduleUnload(entry);
      return tracked(entry, loaded);
    },
    release: async () => {
      const entry = registry().get(key);
      if (entry === undefined) return;
      // New requests get an engine of their own meanwhile.
      forget(entry);
      entry.released = Promise.withResolvers<void>();
      scheduleUnload(entry);
      await entry.released.promise;
    },
  };
}

/** Waits for a load, and hears how far it is. */
async function listening(
  entry: Entry,
  onProgress: ProgressListener | undefined,
  loading: Promise<Model>,
): Promise<Model> {
  if (onProgress === undefined) return loading;
  // Each caller has an entry of its own in the set, also where several give the same function.
  const listener: ProgressListener = (progress) => onProgress(progress);
  if (entry.progress !== undefined) listener(entry.progress);
  entry.listeners.add(listener);
  try {
    return await loading;
  } finally {
    entry.listeners.delete(listener);
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A waiting timer must not keep a Node process alive; browsers' timers are numbers. */
function unref(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === 'object' && 'unref' in timer) timer.unref();
}

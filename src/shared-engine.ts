import { RivuletError } from './errors.ts';
import type { Progress, ProgressListener } from './events.ts';
import type { LoadOptions, Model, ModelInfo } from './model.ts';

/** An engine of this process as plain data. */
export interface EngineStatus {
  /** The reference it was asked for by. */
  readonly reference: string;
  /** `unloading`: it takes no new requests, and goes as soon as its last stream has ended. */
  readonly state: 'loading' | 'loaded' | 'unloading';
  /** The latest news of a load. */
  readonly progress?: Progress;
  /** What it was loaded with, without listeners. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Once it is loaded. */
  readonly info?: ModelInfo;
  /** Streams that have begun and not ended, also those that nobody reads at the moment. */
  readonly activeStreams: number;
  /** When it was last at work, in milliseconds since the epoch; absent while it is. */
  readonly idleSince?: number;
  /** When it is unloaded unless it is used before, in milliseconds since the epoch; absent = not by itself. */
  readonly unloadsAt?: number;
}

/**
 * One engine that several users share. It is found by all copies of the package in a process: hot reload and route
 * bundles make several, so its shape is part of a protocol.
 */
export interface SharedEngine {
  readonly shape: typeof engineShape;
  readonly model: Promise<Model>;
  /** Not to be used any more: it was unloaded, is about to be, or was lost. */
  readonly isGone: boolean;
  /** Streams that have begun and not ended; some may never be read again, and nobody tells. */
  streams: number;
  status(): EngineStatus;
  /** Counts as use: what computes is not idle. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Hears how far the load is while it waits for `work`. */
  listening<T>(listener: ProgressListener | undefined, work: Promise<T>): Promise<T>;
  /** Starts the time after which the engine is unloaded if nothing happens. */
  rest(keepAliveMs: number): void;
  /** It takes no new requests and goes when its streams have ended. */
  release(options?: { readonly cancelsLoad?: boolean }): Promise<void>;
  /** It cannot be used any more and holds nothing. */
  lose(): void;
}

/** Rises when {@link SharedEngine} changes: copies of the package with different shapes share nothing. */
export const engineShape = 1;

/** One per process, whichever copy of the package asks. */
const registryKey: unique symbol = Symbol.for('rivulet.runtime') as never;

/** Timers beyond this fire at once; so long is for ever. */
const longestTimerMs = 2 ** 31 - 1;

/** An engine with begun streams stays at least so long: by then those that nobody reads are given up. */
const abandonedStreamMs = 90_000;

/** … and so long after the last of them was read, once it is to be unloaded: the engine itself waits no longer. */
const parkedStreamMs = 30_000;

/** All engines of the process, by what they were asked for. */
export function engineRegistry(): Map<string, SharedEngine> {
  const holder = globalThis as { [registryKey]?: Map<string, SharedEngine> };
  return (holder[registryKey] ??= new Map<string, SharedEngine>());
}

let departures = 0;

/** Begins to load; the engine is registered under the key until it is gone. */
export function openSharedEngine(
  key: string,
  reference: string,
  options: LoadOptions,
  load: (reference: string, options: LoadOptions) => Promise<Model>,
): SharedEngine {
  const registry = engineRegistry();
  const listeners = new Set<ProgressListener>();
  const loading = new AbortController();
  /** Uses that are under way. */
  let uses = 0;
  let info: ModelInfo | undefined;
  let progress: Progress | undefined;
  let isGone = false;
  let idleSince: number | undefined;
  let unloadsAt: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let released: PromiseWithResolvers<void> | undefined;
  let unloading: Promise<void> | undefined;
  let registeredAs = key;

  const tell = (news: Progress): void => {
    progress = news;
    for (const listener of listeners) listener(news);
  };

  const leave = (): void => {
    isGone = true;
    if (registry.get(registeredAs) === engine) registry.delete(registeredAs);
  };

  const wake = (): void => {
    clearTimeout(timer);
    idleSince = undefined;
    unloadsAt = undefined;
  };

  const unload = async (): Promise<void> => {
    wake();
    isGone = true;
    const loaded = await model.catch(() => undefined);
    try {
      await loaded?.dispose();
    } finally {
      leave();
    }
  };

  const unloadOnce = (): Promise<void> => (unloading ??= unload());

  const unloadIn = (delayMs: number): void => {
    unloadsAt = Date.now() + delayMs;
    timer = setTimeout(() => {
      const done = unloadOnce();
      released?.resolve(done);
      // A failure to end a thread has nobody to go to from here; the engine is forgotten all the same.
      done.catch(() => undefined);
    }, delayMs);
    unref(timer);
  };

  const rest = (keepAliveMs: number): void => {
    if (unloading !== undefined || uses > 0) return;
    const since = released === undefined ? Date.now() : (idleSince ?? Date.now());
    wake();
    idleSince = since;
    if (released !== undefined) {
      if (engine.streams === 0) released.resolve(unloadOnce());
      else unloadIn(Math.max(0, since + parkedStreamMs - Date.now()));
      return;
    }
    if (keepAliveMs > longestTimerMs) return;
    unloadIn(engine.streams > 0 ? Math.max(keepAliveMs, abandonedStreamMs) : keepAliveMs);
  };

  const model = Promise.resolve().then(() =>
    load(reference, { ...options, onProgress: tell, signal: loading.signal }),
  );

  const settled = async (): Promise<void> => {
    try {
      info = (await model).info;
      progress = undefined;
    } catch {
      // Who waits for it gets the error. A failed load is not kept: the next call tries again.
      leave();
    }
  };

  const engine: SharedEngine = {
    shape: engineShape,
    model,
    streams: 0,
    get isGone() {
      return isGone;
    },
    status: () => ({
      reference,
      state: isGone ? 'unloading' : info === undefined ? 'loading' : 'loaded',
      ...(progress === undefined ? {} : { progress }),
      options: { ...options },
      ...(info === undefined ? {} : { info }),
      activeStreams: engine.streams,
      ...(idleSince === undefined ? {} : { idleSince }),
      ...(unloadsAt === undefined ? {} : { unloadsAt }),
    }),
    during: async (work) => {
      uses += 1;
      wake();
      try {
        return await work();
      } finally {
        uses -= 1;
      }
    },
    listening: async (listener, work) => {
      if (listener === undefined) return work;
      // Each caller has an entry of its own in the set, also where several give the same function.
      const own: ProgressListener = (news) => listener(news);
      if (progress !== undefined) own(progress);
      listeners.add(own);
      try {
        return await work;
      } finally {
        listeners.delete(own);
      }
    },
    rest,
    release: ({ cancelsLoad = false } = {}) => {
      if (released === undefined) {
        released = Promise.withResolvers<void>();
        // New requests get an engine of their own meanwhile; this one is still to be seen until it is gone.
        leave();
        registeredAs = `leaving ${departures++}: ${key}`;
        registry.set(registeredAs, engine);
        if (cancelsLoad && info === undefined) loading.abort(unloadedWhileLoading(reference));
        rest(0);
      }
      return released.promise;
    },
    lose: leave,
  };

  registry.set(key, engine);
  void settled();
  return engine;
}

function unloadedWhileLoading(reference: string): RivuletError {
  return new RivuletError(
    'DISPOSED',
    `The model "${reference}" was unloaded while it was being loaded; ask again to load it.`,
    { details: { reference } },
  );
}

/** A waiting timer must not keep a Node process alive; browsers' timers are numbers. */
function unref(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === 'object' && 'unref' in timer) timer.unref();
}

/** The engines of this process, in the order of their loads. */
export function listEngines(): EngineStatus[] {
  return ownEngines().map((engine) => engine.status());
}

/**
 * Unloads the engines of a reference, under all their options, or all there are. Streams that run end first; new
 * requests load anew; loads under way are given up.
 */
export async function unloadEngines(reference?: string): Promise<void> {
  const chosen = ownEngines().filter(
    (engine) => reference === undefined || engine.status().reference === reference,
  );
  await Promise.all(chosen.map((engine) => engine.release({ cancelsLoad: true })));
}

function ownEngines(): SharedEngine[] {
  return [...engineRegistry().values()].filter((engine) => engine.shape === engineShape);
}

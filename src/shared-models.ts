import { RivuletError } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import type { GenerateEvent } from './events.ts';
import type { LoadOptions, Model } from './model.ts';
import { engineRegistry, engineShape, openSharedEngine } from './shared-engine.ts';
import type { SharedEngine } from './shared-engine.ts';

/** A model that several users may hold by the same name; cheap to make, loaded on first use. */
export interface SharedModel {
  /**
   * Loads on first use. An abort ends only the wait of this caller. The model stays usable when its engine was unloaded
   * meanwhile: its next request loads it again.
   */
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

const defaultKeepAliveMs = 300_000;

const lostEngine: ReadonlySet<ErrorCode> = new Set(['WORKER_FAILED', 'DISPOSED']);

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
  const loadOptions = withoutDefaults(rest);
  const key = `${engineShape}: ${JSON.stringify([model, Object.entries(loadOptions).toSorted(byName)])}`;

  const open = (): SharedEngine =>
    engineRegistry().get(key) ?? openSharedEngine(key, model, loadOptions, load);

  const ready = (engine: SharedEngine, signal: AbortSignal | undefined): Promise<Model> =>
    engine.listening(onProgress, unlessAborted(engine.model, signal));

  /** An engine whose thread is gone never comes back: the next call loads again. */
  const noteLoss = (engine: SharedEngine, error: unknown): void => {
    if (RivuletError.isInstance(error) && lostEngine.has(error.code)) engine.lose();
  };

  const tracked = (first: SharedEngine, loaded: Model): Model => {
    let engine = first;
    const usable = (): SharedEngine => (engine.isGone ? (engine = open()) : engine);

    const track = async function* (
      start: (running: Model) => AsyncIterable<GenerateEvent>,
      signal: AbortSignal | undefined,
    ): AsyncGenerator<GenerateEvent, void, undefined> {
      signal?.throwIfAborted();
      const used = usable();
      used.streams += 1;
      let iterator: AsyncIterator<GenerateEvent> | undefined;
      try {
        const running = await used.during(() => ready(used, signal));
        iterator = start(running)[Symbol.asyncIterator]();
        const reading = iterator;
        for (;;) {
          const next = await used.during(() => reading.next()).finally(() => used.rest(keepAliveMs));
          if (next.done === true) return;
          yield next.value;
        }
      } catch (error) {
        noteLoss(used, error);
        throw error;
      } finally {
        used.streams -= 1;
        await iterator?.return?.();
        used.rest(keepAliveMs);
      }
    };

    const busy = async <T>(
      work: (running: Model) => Promise<T>,
      signal: AbortSignal | undefined,
    ): Promise<T> => {
      signal?.throwIfAborted();
      const used = usable();
      try {
        return await used.during(async () => work(await ready(used, signal)));
      } catch (error) {
        noteLoss(used, error);
        throw error;
      } finally {
        used.rest(keepAliveMs);
      }
    };

    /** For everyone who shares it: nobody owns a shared engine alone. */
    const dispose = (): Promise<void> => (engine.isGone ? Promise.resolve() : engine.release());

    return {
      ...loaded,
      chat: (request) => track((running) => running.chat(request), request.signal),
      complete: (request) => track((running) => running.complete(request), request.signal),
      embed: (request) => busy((running) => running.embed(request), request.signal),
      rerank: (request) => busy((running) => running.rerank(request), request.signal),
      dispose,
      [Symbol.asyncDispose]: dispose,
    };
  };

  return {
    acquire: async (signal) => {
      signal?.throwIfAborted();
      const engine = open();
      const loaded = await ready(engine, signal);
      engine.rest(keepAliveMs);
      return tracked(engine, loaded);
    },
    release: async () => {
      await engineRegistry().get(key)?.release();
    },
  };
}

/** What is not given and what is the default are the same engine. */
function withoutDefaults(options: LoadOptions): LoadOptions {
  const entries = Object.entries(options).filter(
    ([name, value]) =>
      value !== undefined && !(value === 'auto' && (name === 'device' || name === 'contextLength')),
  );
  return Object.fromEntries(entries);
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
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

import { setTimeout as wait } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { RivuletError } from '../src/errors.ts';
import type { LoadOptions, Model } from '../src/model.ts';
import { listEngines, unloadEngines } from '../src/shared-engine.ts';
import type { EngineStatus } from '../src/shared-engine.ts';
import { shareModel } from '../src/shared-models.ts';
import { scriptedModel } from '../src/testing.ts';

let names = 0;
/** A reference of its own for every test: the registry is the process's. */
const fresh = (): string => `model-${names++}.gguf`;

interface Loads {
  readonly load: (reference: string) => Promise<Model>;
  readonly disposed: string[];
  count: number;
}

/** Counts loads and disposals; every model says "Hello" for as long as it is asked. */
function counted(delayMs = 0): Loads {
  const loads: Loads = {
    count: 0,
    disposed: [],
    load: async (reference) => {
      loads.count += 1;
      await wait(delayMs);
      const model = scriptedModel({
        id: reference,
        outputs: [
          ['Hel', 'lo'],
          ['Hel', 'lo'],
        ],
        delayMs: 20,
      });
      return {
        ...model,
        dispose: async () => {
          loads.disposed.push(reference);
          await model.dispose();
        },
      };
    },
  };
  return loads;
}

describe('shared models', () => {
  it('load once for equal references and options, whoever asks', async () => {
    const loads = counted();
    const name = fresh();
    const first = shareModel(loads.load, name, { contextLength: 64, threads: 1 });
    const second = shareModel(loads.load, name, { threads: 1, contextLength: 64 });
    const [a, b] = await Promise.all([first.acquire(), second.acquire()]);
    expect(a.info).toBe(b.info);
    expect(loads.count).toBe(1);
    await shareModel(loads.load, name, { contextLength: 32 }).acquire();
    expect(loads.count).toBe(2);
  });

  it('load nothing before they are asked for', () => {
    const loads = counted();
    shareModel(loads.load, fresh());
    expect(loads.count).toBe(0);
  });

  it('try again after a failed load', async () => {
    let tries = 0;
    const load = async (): Promise<Model> => {
      tries += 1;
      if (tries === 1) throw new Error('no such file');
      return scriptedModel({ outputs: [] });
    };
    const shared = shareModel(load, fresh());
    await expect(shared.acquire()).rejects.toThrow('no such file');
    await expect(shared.acquire()).resolves.toBeDefined();
  });

  it('an abort ends the wait of one caller only', async () => {
    const loads = counted(50);
    const shared = shareModel(loads.load, fresh());
    const controller = new AbortController();
    const impatient = shared.acquire(controller.signal);
    const patient = shared.acquire();
    controller.abort(new Error('too slow'));
    await expect(impatient).rejects.toThrow('too slow');
    await expect(patient).resolves.toBeDefined();
    expect(loads.count).toBe(1);
  });

  it('tell all who wait how far the load is, and those who come later nothing', async () => {
    const load = async (_: string, options: LoadOptions): Promise<Model> => {
      options.onProgress?.({ phase: 'download', label: 'x', doneBytes: 1, totalBytes: 2 });
      await wait(20);
      options.onProgress?.({ phase: 'load', label: 'x' });
      return scriptedModel({ outputs: [] });
    };
    const name = fresh();
    const acquire = async (delayMs: number): Promise<string[]> => {
      await wait(delayMs);
      const phases: string[] = [];
      await shareModel(load, name, { onProgress: ({ phase }) => void phases.push(phase) }).acquire();
      return phases;
    };
    const [first, second] = await Promise.all([acquire(0), acquire(10)]);
    expect(first).toEqual(['download', 'load']);
    expect(second).toEqual(['download', 'load']);
    expect(await acquire(0)).toEqual([]);
  });

  it('unload when idle, not while a stream runs, and load again', async () => {
    const loads = counted();
    const name = fresh();
    const shared = shareModel(loads.load, name, { keepAliveMs: 30 });
    const model = await shared.acquire();
    for await (const _ of model.chat({ messages: [{ role: 'user', content: 'Hi' }] })) {
      expect(loads.disposed).toEqual([]);
    }
    await wait(100);
    expect(loads.disposed).toEqual([name]);
    await shared.acquire();
    expect(loads.count).toBe(2);
  });

  it('load again after the engine was lost', async () => {
    let loads = 0;
    const lost = new RivuletError('WORKER_FAILED', 'gone');
    const load = async (): Promise<Model> => scriptedModel({ outputs: loads++ === 0 ? [[lost]] : [['Hi']] });
    const shared = shareModel(load, fresh());
    const ask = async (): Promise<number> => {
      const model = await shared.acquire();
      let events = 0;
      for await (const _ of model.complete({ prompt: 'x' })) events += 1;
      return events;
    };
    await expect(ask()).rejects.toBe(lost);
    expect(await ask()).toBeGreaterThan(2);
    expect(loads).toBe(2);
  });

  it('a loaded model is passed through', async () => {
    const loads = counted();
    const model = scriptedModel({ outputs: [] });
    expect(await shareModel(loads.load, model).acquire()).toBe(model);
    expect(loads.count).toBe(0);
  });

  it('are released when the last stream has ended; new requests load again', async () => {
    const loads = counted();
    const name = fresh();
    const shared = shareModel(loads.load, name);
    const first = await shared.acquire();
    const stream = first.chat({ messages: [] })[Symbol.asyncIterator]();
    await stream.next();
    let isReleased = false;
    const released = shared.release().then(() => (isReleased = true));
    await wait(20);
    expect(isReleased).toBe(false);
    expect(loads.disposed).toEqual([]);
    // Another one does not get the engine that is about to go.
    await shareModel(loads.load, name).acquire();
    expect(loads.count).toBe(2);
    let last = await stream.next();
    while (last.done !== true) last = await stream.next();
    await released;
    expect(loads.disposed).toEqual([name]);
    await shared.release();
    expect(loads.disposed).toEqual([name, name]);
    // Nothing is loaded: nothing to release.
    await shared.release();
    expect(loads.count).toBe(2);
  });

  it('that the caller loaded stay when they are released', async () => {
    const model = scriptedModel({ outputs: [['a']] });
    const shared = shareModel(() => Promise.reject(new Error('not needed')), model);
    await shared.release();
    const events = (await shared.acquire()).chat({ messages: [{ role: 'user', content: 'x' }] });
    let text = '';
    for await (const event of events) if (event.type === 'text-delta') text += event.delta;
    expect(text).toBe('a');
  });

  it('stay usable when their engine was unloaded meanwhile', async () => {
    const loads = counted();
    const model = await shareModel(loads.load, fresh(), { keepAliveMs: 0 }).acquire();
    await wait(20);
    expect(loads.disposed).toHaveLength(1);
    let text = '';
    for await (const event of model.complete({ prompt: 'x' }))
      if (event.type === 'text-delta') text += event.delta;
    expect(text).toBe('Hello');
    expect(loads.count).toBe(2);
  });

  it('disposing one releases it for all, after the last stream', async () => {
    const loads = counted();
    const name = fresh();
    const model = await shareModel(loads.load, name).acquire();
    const stream = model.complete({ prompt: 'x' })[Symbol.asyncIterator]();
    await stream.next();
    const disposed = model.dispose();
    expect(statusOf(name)).toMatchObject([{ state: 'unloading', activeStreams: 1 }]);
    await stream.return?.();
    await disposed;
    expect(loads.disposed).toEqual([name]);
    expect(statusOf(name)).toEqual([]);
    await model.dispose();
    expect(loads.disposed).toEqual([name]);
  });

  it('are unloaded under all their options; an embedding under way ends first', async () => {
    const loads = counted();
    const name = fresh();
    const work = Promise.withResolvers<never>();
    const load = async (reference: string): Promise<Model> => ({
      ...(await loads.load(reference)),
      embed: () => work.promise,
    });
    await shareModel(load, name, { threads: 1 }).acquire();
    const model = await shareModel(load, name, { threads: 2 }).acquire();
    const embedding = model.embed({ values: ['x'] });
    expect(statusOf(name).map(({ options }) => options)).toEqual([{ threads: 1 }, { threads: 2 }]);
    let isUnloaded = false;
    const unloaded = unloadEngines(name).then(() => (isUnloaded = true));
    await wait(20);
    expect(loads.disposed).toEqual([name]);
    expect(isUnloaded).toBe(false);
    work.resolve({ embeddings: [] } as never);
    await Promise.all([embedding, unloaded]);
    expect(loads.disposed).toEqual([name, name]);
  });

  it('loads under way are given up, and told so', async () => {
    const name = fresh();
    let given: AbortSignal | undefined;
    const load = (_: string, { signal }: LoadOptions): Promise<Model> => {
      given = signal;
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason)),
      );
    };
    const acquiring = shareModel(load, name).acquire();
    const refused = expect(acquiring).rejects.toMatchObject({ code: 'DISPOSED' });
    await wait(5);
    expect(statusOf(name)).toMatchObject([{ state: 'loading' }]);
    await unloadEngines(name);
    await refused;
    expect(given?.aborted).toBe(true);
    expect(statusOf(name)).toEqual([]);
  });

  it('streams that nobody reads any more do not keep it for ever', async () => {
    vi.useFakeTimers();
    try {
      const disposed = vi.fn<() => void>();
      const load = async (id: string): Promise<Model> => ({
        ...scriptedModel({ id, outputs: [['a', 'b']] }),
        dispose: async () => disposed(),
      });
      const name = fresh();
      const model = await shareModel(load, name, { keepAliveMs: 1000 }).acquire();
      const abandoned = model.complete({ prompt: 'x' })[Symbol.asyncIterator]();
      await abandoned.next();
      const unloaded = unloadEngines(name);
      await vi.advanceTimersByTimeAsync(25_000);
      expect(disposed).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(10_000);
      await unloaded;
      expect(disposed).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('what is the default or not given makes no other engine', async () => {
    const loads = counted();
    const name = fresh();
    await shareModel(loads.load, name).acquire();
    const options = { device: 'auto', contextLength: 'auto', threads: undefined } as unknown as LoadOptions;
    await shareModel(loads.load, name, options).acquire();
    expect(loads.count).toBe(1);
  });

  it('of copies of the package with another form of them are left alone', async () => {
    const registry = Reflect.get(globalThis, Symbol.for('rivulet.runtime')) as Map<string, unknown>;
    const foreign = { shape: 'another' };
    registry.set('foreign', foreign);
    try {
      expect(listEngines().every(({ reference }) => reference.startsWith('model-'))).toBe(true);
      await unloadEngines();
      expect([...registry.values()]).toEqual([foreign]);
    } finally {
      registry.delete('foreign');
    }
  });
});

function statusOf(name: string): EngineStatus[] {
  return listEngines().filter(({ reference }) => reference === name);
}

import { setTimeout as wait } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { RivuletError } from '../src/errors.ts';
import type { LoadOptions, Model } from '../src/model.ts';
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
});

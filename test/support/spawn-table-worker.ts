import { Worker } from 'node:worker_threads';

import type { Channel, ToClient, ToHost } from '../../src/worker/protocol.ts';
import type { TableSessionOptions } from './table-session.ts';

export interface TableWorkerData {
  readonly options: TableSessionOptions;
  /** Number of steps, then the sequences of each. */
  readonly stepLog: Int32Array<SharedArrayBuffer>;
}

/** An engine thread that runs a table. */
export interface TableWorker {
  readonly channel: Channel<ToHost, ToClient>;
  /** How many sequences each step has had so far. */
  stepSizes(): number[];
}

const longestLog = 100_000;

export function spawnTableWorker(options: TableSessionOptions): TableWorker {
  const stepLog = new Int32Array(new SharedArrayBuffer(4 * (longestLog + 1)));
  const worker = new Worker(new URL('table-worker.ts', import.meta.url), {
    workerData: { options, stepLog } satisfies TableWorkerData,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  return {
    channel: {
      post: (message) => worker.postMessage(message),
      listen: (listener) => worker.on('message', listener),
      onClosed: (listener) => worker.on('exit', () => listener(undefined)),
      hold: () => undefined,
      close: async () => {
        await worker.terminate();
      },
    },
    stepSizes: () => Array.from(stepLog.subarray(1, 1 + Atomics.load(stepLog, 0))),
  };
}

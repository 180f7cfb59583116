import { parentPort, workerData } from 'node:worker_threads';

import { hostModel } from '../../src/worker/host.ts';
import type { TableWorkerData } from './spawn-table-worker.ts';
import { tablePlatform } from './table-platform.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs in a worker thread only.');

const { options, stepLog } = workerData as TableWorkerData;

hostModel(
  {
    post: (message) => port.postMessage(message),
    listen: (listener) => port.on('message', listener),
    onClosed: (listener) => port.on('close', () => listener(undefined)),
    hold: (active) => (active ? port.ref() : port.unref()),
    close: async () => port.close(),
  },
  tablePlatform(options, (session) => {
    const { step } = session;
    session.step = async (items, signal) => {
      const results = await step(items, signal);
      stepLog[Atomics.add(stepLog, 0, 1) + 1] = items.length;
      return results;
    };
  }),
);

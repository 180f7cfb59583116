import { getPriority, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort } from 'node:worker_threads';

import { nodePlatform } from '../platform-node.ts';
import { hostModel } from './host.ts';

/** After opening, so that a first request that comes at once does not wait for the collector. */
const quietMs = 200;

const port = parentPort;
if (port === null) throw new Error('This file runs in a worker thread only.');

/**
 * Where cores are few, the thread that serves others comes before those that compute: engine threads are begun from here
 * and inherit it. Linux alone has a priority for each thread; elsewhere it is the process's.
 */
const engineNiceness = 5;
const lowestNiceness = 19;
if (process.platform === 'linux') {
  // A number of 0 is the calling thread. Sandboxes may forbid it, and all goes on as before.
  try {
    setPriority(0, Math.min(lowestNiceness, getPriority(0) + engineNiceness));
  } catch {}
}

/** Reading a header leaves several times its size behind, and an engine that decodes gives no cause to collect it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // The usual kind would keep the heap's size for what may come.
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

hostModel(
  {
    post: (message) => {
      port.postMessage(message);
      if (message.type === 'opened') setTimeout(collectGarbage, quietMs).unref();
    },
    listen: (listener) => port.on('message', listener),
    onClosed: (listener) => port.on('close', () => listener(undefined)),
    hold: (active) => (active ? port.ref() : port.unref()),
    close: async () => port.close(),
  },
  nodePlatform,
);

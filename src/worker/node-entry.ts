import { parentPort } from 'node:worker_threads';

import { nodePlatform } from '../platform-node.ts';
import { hostModel } from './host.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs in a worker thread only.');

hostModel(
  {
    post: (message) => port.postMessage(message),
    listen: (listener) => port.on('message', listener),
    onClosed: (listener) => port.on('close', () => listener(undefined)),
    hold: (active) => (active ? port.ref() : port.unref()),
    close: async () => port.close(),
  },
  nodePlatform,
);

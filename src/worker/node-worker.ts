import { Worker } from 'node:worker_threads';

import { RunGate } from '../session/run-gate.ts';
import type { Channel, ToClient, ToHost } from './protocol.ts';

const maxYoungGenerationSizeMb = 4;

/** Gates of the engine threads that live. */
const openGates = new Set<RunGate>();

/** One listener for all threads: Node warns about processes with many. */
function closeOnExit(gate: RunGate): void {
  if (openGates.size === 0) process.once('exit', closeAll);
  openGates.add(gate);
}

function closeAll(): void {
  for (const gate of openGates) gate.closeNow();
}

/** Starts an engine thread. In a checkout the sources run as they are, so the entry has this file's ending. */
export function spawnNodeWorker(): Channel<ToHost, ToClient> {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const gate = new RunGate();
  const worker = new Worker(new URL(`./node-entry.${ending}`, import.meta.url), {
    name: 'rivulet',
    workerData: { runGate: gate.memory },
    // Flags of the program, such as an input type, are not for this file.
    execArgv: [],
    // An engine's thread makes little garbage: the usual 16 MB for what is young would only be taken and kept.
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  worker.unref();
  closeOnExit(gate);
  let failure: Error | undefined;
  return {
    post: (message) => worker.postMessage(message),
    listen: (listener) => worker.on('message', listener),
    onClosed: (listener) => {
      worker.on('error', (error) => {
        failure = error instanceof Error ? error : new Error(String(error));
      });
      worker.on('exit', () => {
        openGates.delete(gate);
        if (openGates.size === 0) process.off('exit', closeAll);
        listener(failure);
      });
    },
    hold: (active) => {
      if (active) worker.ref();
      else worker.unref();
    },
    close: async () => {
      await gate.close();
      await worker.terminate();
    },
  };
}

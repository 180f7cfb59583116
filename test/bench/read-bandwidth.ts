import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** All threads together; far more than any cache. */
const totalBytes = 512 * 2 ** 20;
const passes = 5;
const present = 2;
const absent = 1;

/**
 * Bytes per second that some threads together read from memory: the best of a few passes of the C library's search
 * for a byte that is not there. It reads with the widest instructions but without prefetching, so a kernel that
 * prefetches well may read a little faster than this.
 */
export async function readBandwidth(threads: number): Promise<number> {
  const bytes = Math.floor(totalBytes / threads);
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: bytes }),
  );
  const answers = (): Promise<unknown> =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
  try {
    await answers();
    let best = 0;
    for (let pass = 0; pass < passes; pass++) {
      const startMs = performance.now();
      const done = answers();
      for (const worker of workers) worker.postMessage('read');
      await done;
      best = Math.max(best, (bytes * threads * 1000) / (performance.now() - startMs));
    }
    return best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const memory = Buffer.alloc(workerData as number, present);
  port.on('message', () => port.postMessage(memory.indexOf(absent)));
  port.postMessage('ready');
}

// Loaded into the server's process (`node --import`): tells the test how long its event loop was held up, and when it computed.
import { setTimeout as wait } from 'node:timers/promises';

const tickMs = 4;

/** Since the epoch, so that the test and pages can compare. */
const now = () => performance.timeOrigin + performance.now();

/** The thread's own time, without what other processes took of the core meanwhile. */
const threadMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

let ticks = [];

async function watch() {
  let last = now();
  let lastThread = threadMs();
  let lastProcess = process.cpuUsage();
  for (;;) {
    await wait(tickMs, undefined, { ref: false });
    const at = now();
    const thread = threadMs();
    const { user, system } = process.cpuUsage(lastProcess);
    ticks.push({
      at,
      stallMs: at - last - tickMs,
      busyMs: thread - lastThread,
      processMs: (user + system) / 1000,
    });
    last = at;
    lastThread = thread;
    lastProcess = process.cpuUsage();
  }
}

process.on('message', (message) => {
  if (message !== 'ticks') return;
  process.send({ ticks });
  ticks = [];
});
process.channel?.unref();
if (process.send !== undefined) void watch();

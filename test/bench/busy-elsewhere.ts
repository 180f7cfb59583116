import { cpus } from 'node:os';

/** Starts to watch; the function returned says what part of all cores others used since then, 0 to 1. */
export function watchOthers(): () => number {
  const startMs = performance.now();
  const busyBefore = busyMs();
  const ownBefore = ownMs();
  return () => {
    const wholeMs = (performance.now() - startMs) * cpus().length;
    const othersMs = busyMs() - busyBefore - (ownMs() - ownBefore);
    // The system counts in hundredths of a second, so that a quiet machine may look less than idle.
    return Math.min(1, Math.max(0, othersMs / wholeMs));
  };
}

/** Of all cores together, since the system started. */
function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Of all threads of this process, since it started. */
function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

import { availableParallelism, cpus } from 'node:os';

/** Hyper-threads share the units that matrix products need: one thread per core is fastest. */
export function physicalCores(): number {
  const logical = cpus().length;
  const available = availableParallelism();
  return Math.max(1, Math.min(available, logical > 4 ? Math.ceil(logical / 2) : logical));
}

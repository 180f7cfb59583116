import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Resident memory of this process, in bytes. */
export interface MemoryUse {
  /** Written by this process: nobody else can use it and it cannot be dropped. */
  readonly private: number;
  /** Unchanged pages of files: page cache, which every process on the same files shares. */
  readonly shareable: number;
}

const rollup = '/proc/self/smaps_rollup';

/** Only Linux tells the two apart. */
export const canReadMemory: boolean = existsSync(rollup);

/** What is resident once the process has come to rest. */
export async function readMemoryUse(): Promise<MemoryUse> {
  await setTimeout(100);
  return parseMemoryUse(readFileSync(rollup, 'utf8'));
}

/** Reads the text of a `smaps_rollup` file. */
export function parseMemoryUse(text: string): MemoryUse {
  const bytes = (name: string): number => {
    const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text) ?? [];
    if (kibibytes === undefined) throw new Error(`Expected a line "${name}" in ${rollup}.`);
    return Number(kibibytes) * 1024;
  };
  // Private_Clean is page cache that happens to be mapped by one process only.
  return {
    private: bytes('Private_Dirty') + bytes('Private_Hugetlb'),
    shareable: bytes('Private_Clean') + bytes('Shared_Clean') + bytes('Shared_Dirty'),
  };
}

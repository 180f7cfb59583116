import type { Command } from 'cac';
import type { LoadOptions } from '../index.ts';
import { addCacheFlag, dialects } from './load-flags.ts';
import { choiceFlag, numberFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';

/** Adds the flags of commands that make vectors or scores of texts. */
export function addTextFlags(command: Command, what: string): Command {
  return addCacheFlag(command)
    .option('--file <path>', `${what} from a file, one per line (default: standard input)`)
    .option('--truncate', 'Cut what is longer than the model takes, instead of failing')
    .option('--threads <n>', 'Threads of the engine')
    .option('--dialect <name>', 'Engine: native (the fast one) or portable');
}

/** @throws {UsageError} */
export function readTextLoadFlags(flags: FlagValues): LoadOptions {
  const threads = numberFlag(flags, 'threads', { minimum: 1, integer: true });
  const dialect = choiceFlag(flags, 'dialect', dialects);
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(dialect === undefined ? {} : { dialect }),
  };
}

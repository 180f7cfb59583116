import { readFile } from 'node:fs/promises';
import type { Command } from 'cac';
import type { LoadOptions } from '../index.ts';
import { choiceFlag, numberFlag, textFlag } from './flag-values.ts';
import type { FlagValues } from './flag-values.ts';
import { UsageError } from './usage-error.ts';

/** Adds the flag that every command with a reference has. */
export function addCacheFlag(command: Command): Command {
  return command.option('--cache <folder>', 'Where fetched models are kept (also RIVULET_CACHE)');
}

export const dialects = ['native', 'portable'] as const;
const cacheTypes = ['f16', 'f32', 'q8_0', 'q4_0'] as const;

/** Adds the flags that say how a model is loaded. */
export function addLoadFlags(command: Command): Command {
  return addCacheFlag(command)
    .option('--context <n>', 'Longest conversation in tokens')
    .option('--threads <n>', 'Threads of the engine')
    .option('--dialect <name>', 'Engine: native (the fast one) or portable')
    .option('--cache-type <type>', 'Cached keys and values of the native engine: f16, f32, q8_0, q4_0')
    .option('--template-file <path>', 'Jinja chat template instead of the one in the file');
}

/** The given flags as load options. @throws {UsageError} */
export async function readLoadFlags(flags: FlagValues): Promise<LoadOptions> {
  const contextLength = numberFlag(flags, 'context', { minimum: 1, integer: true });
  const threads = numberFlag(flags, 'threads', { minimum: 1, integer: true });
  const dialect = choiceFlag(flags, 'dialect', dialects);
  const cacheType = choiceFlag(flags, 'cacheType', cacheTypes);
  const templateFile = textFlag(flags, 'templateFile');
  return {
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(threads === undefined ? {} : { threads }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(cacheType === undefined ? {} : { cacheType }),
    ...(templateFile === undefined ? {} : { chatTemplate: await readTemplate(templateFile) }),
  };
}

async function readTemplate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`The flag --template-file needs a file that can be read: ${found}`, { cause });
  }
}

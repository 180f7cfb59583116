import { readFile } from 'node:fs/promises';
import { readInput } from './read-input.ts';
import { UsageError } from './usage-error.ts';

/** Texts of the command line, else the lines of a file, else those of standard input. */
export async function readTexts(
  words: readonly string[],
  file: string | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  if (file === undefined && words.length > 0) return [...words];
  if (file === undefined) return linesOf(await readInput([], 'texts', signal));
  if (words.length > 0) throw new UsageError('Expected texts as arguments or --file, found both.');
  try {
    return linesOf(await readFile(file, { encoding: 'utf8', signal }));
  } catch (cause) {
    signal.throwIfAborted();
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`The flag --file needs a file that can be read: ${found}`, { cause });
  }
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

import { text } from 'node:stream/consumers';
import { UsageError } from './usage-error.ts';

/** Words of the command line, or all of standard input when there are none and it is piped. */
export async function readInput(
  words: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<string> {
  if (words.length > 0) return words.join(' ');
  if (process.stdin.isTTY) throw new UsageError(`Expected ${what} as an argument or on standard input.`);
  const stop = (): void => void process.stdin.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const input = (await text(process.stdin)).replace(/\r?\n$/, '');
    if (input === '') throw new UsageError(`Expected ${what} as an argument or on standard input.`);
    return input;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { UsageError } from './usage-error.ts';

/** The lines of a file, or of standard input where it is piped; the empty ones too, so that their numbers stay. */
export async function* readLines(
  path: string | undefined,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  if (path === undefined && process.stdin.isTTY) {
    throw new UsageError(`Expected ${what} as arguments, by --file or on standard input.`);
  }
  const input: Readable = path === undefined ? process.stdin : createReadStream(path);
  const stop = (): void => void input.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
    signal.throwIfAborted();
  } catch (cause) {
    signal.throwIfAborted();
    if (path === undefined) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`The flag --file needs a file that can be read: ${found}`, { cause });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

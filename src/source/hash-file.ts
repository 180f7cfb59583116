import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ProgressListener } from '../events.ts';

/** The SHA-256 of a file's content, hexadecimal. */
export async function hashFile(
  path: string,
  label: string,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ProgressListener | undefined },
): Promise<string> {
  const totalBytes = (await stat(path)).size;
  const hash = createHash('sha256');
  let doneBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    options.signal?.throwIfAborted();
    hash.update(chunk as Buffer);
    doneBytes += (chunk as Buffer).length;
    options.onProgress?.({ phase: 'verify', label, doneBytes, totalBytes });
  }
  return hash.digest('hex');
}

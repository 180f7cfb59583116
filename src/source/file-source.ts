import type { Stats } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RivuletError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** A file of this machine, open for reading. */
export interface FileSource extends ByteSource {
  /** Absolute, symbolic links resolved: ONNX Runtime refuses weights behind links that leave its folder. */
  readonly path: string;
}

/** A folder's listing in a message stays readable. */
const maximumListedFiles = 20;

/** One system call reads less than 2 GiB on every platform. */
const maximumReadBytes = 2 ** 30;

/**
 * Opens a regular file.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_NOT_A_FILE`, `SOURCE_UNREADABLE`
 */
export async function openFileSource(path: string): Promise<FileSource> {
  const found = await statFile(path);
  const { size } = found;
  let handle: FileHandle;
  let resolved: string;
  try {
    handle = await open(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    resolved = await realpath(path);
  } catch (cause) {
    await handle.close();
    throw unreadable(path, cause);
  }
  return {
    name: path,
    path: resolved,
    file: { path: resolved, stamp: fileStamp(found) },
    size,
    read: (offsetBytes, lengthBytes, signal) => read(handle, path, size, offsetBytes, lengthBytes, signal),
    close: () => handle.close(),
  };
}

/**
 * Checks that a path names a regular file, and returns its size in bytes.
 * Looks before opening: opening a pipe would wait for its writer.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_NOT_A_FILE`, `SOURCE_UNREADABLE`
 */
export async function requireFile(path: string): Promise<number> {
  return (await statFile(path)).size;
}

/** Tells whether a file is still the one that it was. */
export function fileStamp({ ino, size, mtimeMs }: Pick<Stats, 'ino' | 'size' | 'mtimeMs'>): string {
  return `${ino}:${size}:${mtimeMs}`;
}

async function statFile(path: string): Promise<Stats> {
  let found;
  try {
    found = await stat(path);
  } catch (cause) {
    const code = systemCode(cause);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(path, cause);
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected a GGUF file at "${resolve(path)}", but nothing is there. Check the path; a model of a hub is written hf:owner/repository.`,
      { details: { path }, cause },
    );
  }
  if (found.isFile()) return found;
  if (found.isDirectory()) throw await directoryError(path);
  throw new RivuletError(
    'SOURCE_NOT_A_FILE',
    `Expected "${path}" to be a regular file, found a device, pipe or socket. Give the path of a GGUF file.`,
    { details: { path } },
  );
}

async function read(
  handle: FileHandle,
  path: string,
  size: number,
  offsetBytes: number,
  lengthBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > size) {
    throw truncated(path, offsetBytes, lengthBytes, size);
  }
  const bytes = new Uint8Array(lengthBytes);
  let done = 0;
  while (done < lengthBytes) {
    const wanted = Math.min(lengthBytes - done, maximumReadBytes);
    let count: number;
    try {
      count = (await handle.read(bytes, done, wanted, offsetBytes + done)).bytesRead;
    } catch (cause) {
      throw unreadable(path, cause);
    }
    signal?.throwIfAborted();
    if (count === 0) throw truncated(path, offsetBytes, lengthBytes, offsetBytes + done);
    done += count;
  }
  return bytes;
}

async function directoryError(path: string): Promise<RivuletError> {
  let names: string[];
  try {
    names = (await readdir(path)).filter((name) => /\.gguf$/i.test(name)).toSorted();
  } catch (cause) {
    return unreadable(path, cause);
  }
  const listed = names.slice(0, maximumListedFiles).join(', ');
  const more = names.length > maximumListedFiles ? ` and ${names.length - maximumListedFiles} more` : '';
  return new RivuletError(
    'SOURCE_NOT_A_FILE',
    `Expected "${path}" to be a GGUF file, found a folder ${
      names.length === 0 ? 'without GGUF files' : `with ${listed}${more}`
    }. Name one file.`,
    { details: { path, files: names.slice(0, maximumListedFiles) } },
  );
}

function truncated(path: string, offsetBytes: number, lengthBytes: number, size: number): RivuletError {
  return new RivuletError(
    'SOURCE_TRUNCATED',
    `Expected ${lengthBytes} bytes at offset ${offsetBytes} of "${path}", but the file ends at ${size}. It is incomplete; copy or download it again.`,
    { details: { path, offsetBytes, lengthBytes, sizeBytes: size } },
  );
}

function unreadable(path: string, cause: unknown): RivuletError {
  return new RivuletError(
    'SOURCE_UNREADABLE',
    `Expected to read "${path}", but the system refused (${systemCode(cause) ?? String(cause)}). Check the permissions of the file and its folders.`,
    { details: { path }, cause },
  );
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

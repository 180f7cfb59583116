import { randomUUID } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import type { QuantizedType } from '../quant/quantize.ts';
import { systemCode } from '../source/cache-error.ts';
import { type Converted, convertModel } from './convert-model.ts';
import { openModelFolder } from './model-folder.ts';

export interface ConvertFileOptions {
  /** Type of the matrices. @default 'F16' */
  readonly type?: QuantizedType;
  /** Where the GGUF goes. @default the folder's name and the type, in the working directory */
  readonly output?: string;
  /** Replace a file that is there. @default false */
  readonly overwrite?: boolean;
  /** Ends the work. @default none */
  readonly signal?: AbortSignal;
  /** Hears how many bytes of the output are written. @default none */
  readonly onProgress?: ProgressListener;
}

export interface ConvertedFile extends Converted {
  /** Absolute. */
  readonly path: string;
}

/**
 * Converts the model in a folder to a GGUF file, which is there completely or not at all.
 * @throws {RivuletError} `INVALID_ARGUMENT` for an output that is there, `DISK_FULL`, as {@link convertModel}
 */
export async function convertToFile(
  folder: string,
  options: ConvertFileOptions = {},
): Promise<ConvertedFile> {
  const { type = 'F16', signal, onProgress, overwrite = false } = options;
  const files = await openModelFolder(folder);
  const path = resolve(options.output ?? `${files.modelName}-${type}.gguf`);
  if (!overwrite && (await exists(path))) throw taken(path);
  const temporaryPath = `${path}.${process.pid}.${randomUUID()}.partial`;
  try {
    const file = await open(temporaryPath, 'wx');
    let converted: Converted;
    try {
      const write = async (chunk: Uint8Array): Promise<void> => {
        let done = 0;
        while (done < chunk.length) done += (await file.write(chunk, done)).bytesWritten;
      };
      converted = await convertModel(
        files,
        { write },
        { type, modelName: files.modelName, signal, onProgress },
      );
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporaryPath, path, overwrite);
    return { path, ...converted };
  } catch (error) {
    throw outputError(error, path);
  } finally {
    await rm(temporaryPath, { force: true });
  }
}

/** A file that came up meanwhile is not replaced unasked. */
async function place(temporaryPath: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) return rename(temporaryPath, path);
  try {
    await link(temporaryPath, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw taken(path);
    // File systems without hard links.
    await rename(temporaryPath, path);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function taken(path: string): RivuletError {
  return new RivuletError(
    'INVALID_ARGUMENT',
    `Expected no file at "${path}" yet, but there is one. Choose another name, or say that it may be replaced (overwrite, --force).`,
    { details: { path } },
  );
}

function outputError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new RivuletError(
    isFull ? 'DISK_FULL' : 'INVALID_ARGUMENT',
    `Expected to write "${path}", but the system said ${code}. ${isFull ? 'Make room on that disk' : 'Choose a folder that exists and can be written'}, then convert again.`,
    { details: { path }, cause: error },
  );
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { RivuletError } from '../errors.ts';
import type { Model, ModelInfo } from '../model.ts';
import type { ModelHeader } from '../open-model.ts';
import { fileStamp } from '../source/file-source.ts';
import type { createTextSide } from './text-side.ts';

/**
 * Tokenizer and template of a model, loaded in this call: 6 MB of modules and the header of the file, which a program
 * that only streams does without.
 * @throws {RivuletError} `SOURCE_UNREADABLE` when the file is gone or another one, and what reading a header throws
 */
export function openTextSide(info: ModelInfo, header: ModelHeader, chatTemplate: string | undefined): Model {
  const bytes = header instanceof Uint8Array ? header : readHeader(info.id, header);
  return requireTextSide()(info, bytes, chatTemplate);
}

function requireTextSide(): typeof createTextSide {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  // Tools that collect a program's files follow such addresses, as they do for the engine thread's.
  const path = fileURLToPath(new URL(`./text-side.${ending}`, import.meta.url));
  const module: { readonly createTextSide: typeof createTextSide } = createRequire(import.meta.url)(path);
  return module.createTextSide;
}

function readHeader(id: string, { path, stamp, byteLength }: Exclude<ModelHeader, Uint8Array>): Uint8Array {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw changed(id, path, cause);
  }
  try {
    if (fileStamp(fstatSync(descriptor)) !== stamp) throw changed(id, path);
    const bytes = new Uint8Array(byteLength);
    let done = 0;
    while (done < byteLength) {
      const count = readSync(descriptor, bytes, done, byteLength - done, done);
      if (count === 0) throw changed(id, path);
      done += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function changed(id: string, path: string, cause?: unknown): RivuletError {
  return new RivuletError(
    'SOURCE_UNREADABLE',
    `Expected the file of "${id}" at "${path}" as it was when the model was loaded, but it was moved, removed or changed since. Load the model again.`,
    { details: { path }, ...(cause === undefined ? {} : { cause }) },
  );
}

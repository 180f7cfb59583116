import { isAbsolute, join, relative, resolve } from 'node:path';
import { RivuletError } from '../errors.ts';
import { modelAliases } from './aliases.ts';
import { requireFile } from './file-source.ts';
import type { LocatedFile } from './fetch-url.ts';

/**
 * A model file by its path; a relative one in the folder of models first, with or without its ending, then in the
 * working directory. Not resolved through symbolic links: the shards of a split model are found by this path's name.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `SOURCE_NOT_A_FILE`, `SOURCE_UNREADABLE`; `REFERENCE_INVALID` for relative
 * paths that lead out of the folder of models
 */
export async function locateFile(path: string, modelDirectory?: string): Promise<LocatedFile> {
  if (modelDirectory === undefined || isAbsolute(path)) return locateByPath(path);
  const folder = resolve(modelDirectory);
  const inside = join(folder, path);
  if (leadsOut(folder, inside)) {
    throw new RivuletError(
      'REFERENCE_INVALID',
      `Expected "${path}" to stay inside the folder of models "${folder}", but it leads out of it. Give an absolute path for a model that is elsewhere.`,
      { details: { reference: path, modelDirectory: folder } },
    );
  }
  let failure: unknown;
  for (const candidate of /\.gguf$/i.test(inside) ? [inside] : [inside, `${inside}.gguf`]) {
    try {
      return { path: candidate, bytes: await requireFile(candidate) };
    } catch (error) {
      // A folder of the model's name may lie beside the model.
      if (!isMissing(error)) failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  try {
    return await locateByPath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `${error.message} The folder of models "${folder}" was looked through first and does not have it either.`,
      { details: { ...error.details, modelDirectory: folder }, cause: error },
    );
  }
}

function leadsOut(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '..' || /^\.\.[/\\]/.test(way) || isAbsolute(way);
}

async function locateByPath(path: string): Promise<LocatedFile> {
  try {
    return { path: resolve(path), bytes: await requireFile(path) };
  } catch (error) {
    if (!isMissing(error) || /[/\\.]/.test(path)) throw error;
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `${error.message} "${path}" is no built-in alias either; those are: ${[...modelAliases.keys()].join(', ')}.`,
      { details: error.details, cause: error },
    );
  }
}

function isMissing(error: unknown): error is RivuletError {
  return RivuletError.isInstance(error) && error.code === 'SOURCE_NOT_FOUND';
}

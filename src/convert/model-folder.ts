import { basename, dirname, join, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { RivuletError } from '../errors.ts';
import { openFileSource } from '../source/file-source.ts';
import type { ModelFiles } from './model-files.ts';

/**
 * The model in a folder of this machine; a path to its `model.safetensors` means the folder.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`
 */
export async function openModelFolder(path: string): Promise<ModelFiles & { readonly modelName: string }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected a folder with a model at "${resolve(path)}", but nothing is there. Check the path.`,
      { details: { path } },
    );
  }
  const folder = resolve(found.isDirectory() ? path : dirname(path));
  return {
    name: folder,
    modelName: basename(folder),
    async open(inside) {
      try {
        return await openFileSource(join(folder, inside));
      } catch (error) {
        if (RivuletError.isInstance(error) && error.code === 'SOURCE_NOT_FOUND') return undefined;
        throw error;
      }
    },
  };
}

import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './cache-error.ts';

/**
 * Makes a folder and those above it. Not by `mkdir`'s own recursion: where a file system takes no new
 * folders Node answers that with a misleading ENOENT, or never.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const parent = dirname(folder);
    if (systemCode(error) !== 'ENOENT' || parent === folder) throw error;
    // The parent may be another's work of this moment, so its being there proves nothing yet.
    if (!(await isFolder(parent))) await makeFolder(parent);
    await mkdir(folder).catch(async (again: unknown) => {
      if (await isFolder(folder)) return;
      throw systemCode(again) === 'ENOENT' ? refused(folder, again) : again;
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** "Not found" for a new folder in one that is there means that nothing can be made in it. */
function refused(folder: string, cause: unknown): Error {
  return Object.assign(new Error(`A folder "${folder}" cannot be made.`, { cause }), { code: 'EROFS' });
}

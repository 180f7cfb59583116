import { RivuletError } from '../errors.ts';

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const unwritableCodes: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
]);

/** A failure of the file system in the cache as `DISK_FULL` or `CACHE_UNWRITABLE`; anything else as it is. */
export function cacheError(error: unknown, folder: string): unknown {
  return fullDiskError(error, folder) ?? unwritableError(error, folder) ?? error;
}

/** `DISK_FULL` for an error that says so, wherever it comes from. */
export function fullDiskError(error: unknown, folder: string): RivuletError | undefined {
  const code = systemCode(error);
  if (code === undefined || !fullCodes.has(code)) return undefined;
  return new RivuletError(
    'DISK_FULL',
    `Expected room in the cache folder "${folder}", but the disk is full (${code}). Free some space, or set RIVULET_CACHE to a folder on another disk.`,
    { details: { folder }, cause: error },
  );
}

function unwritableError(error: unknown, folder: string): RivuletError | undefined {
  const code = systemCode(error);
  if (code === undefined || !unwritableCodes.has(code)) return undefined;
  return new RivuletError(
    'CACHE_UNWRITABLE',
    `Expected to write to the cache folder "${folder}", but the system refused (${code}). Make the folder writable, or set RIVULET_CACHE to one that is.`,
    { details: { folder }, cause: error },
  );
}

/** The `code` of an error of `node:fs`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || RivuletError.isInstance(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

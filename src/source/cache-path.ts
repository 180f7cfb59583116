import { createHash } from 'node:crypto';

/** Room for the endings of partial files below the 255 bytes that file systems allow for a name. */
const maximumNameLength = 160;

/** Names that Windows takes for devices, with any ending. */
const devicePattern = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Where an entry lies below the cache folder: its key's parts become folders, made safe for every system. */
export function cachePathOf(key: string, fileName: string): { folders: string[]; fileName: string } {
  return { folders: key.split('/').map(safeName), fileName: safeName(fileName) };
}

/** A name that is legal everywhere, the same for the same input; changed ones end in a hash of the input. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\w.@=+-]/g, '_').replace(/^\.+|\.+$/g, '_');
  if (safe === name && name !== '' && name.length <= maximumNameLength && !devicePattern.test(name))
    return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
  // The end is kept: it says what kind of file this is.
  return `${digest}-${safe.slice(-(maximumNameLength - digest.length - 1))}`;
}

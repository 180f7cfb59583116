import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where fetched and repacked files are kept: `RIVULET_CACHE`, else the platform's cache folder.
 * This leaf is the one place of the library that reads the environment.
 */
export function defaultCacheFolder(): string {
  const { RIVULET_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (isGiven(RIVULET_CACHE)) return resolve(RIVULET_CACHE);
  switch (platform()) {
    case 'darwin':
      return join(homedir(), 'Library', 'Caches', 'rivulet');
    case 'win32':
      return join(
        isGiven(LOCALAPPDATA) ? LOCALAPPDATA : join(homedir(), 'AppData', 'Local'),
        'rivulet',
        'Cache',
      );
    default:
      return join(isGiven(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'rivulet');
  }
}

/** The environment for a child process that keeps its temporary files in `folder`. */
export function childEnvironment(folder: string): Record<string, string | undefined> {
  return { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder };
}

/** An empty variable means "not set", as the XDG base directory specification has it. */
function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

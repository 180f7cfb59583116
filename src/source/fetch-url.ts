import { displayUrl, downloadTo } from './http.ts';
import type { CacheOptions, DiskCache } from './disk-cache.ts';
import type { FolderConverter } from './folder-converter.ts';

/** What fetching any kind of reference needs. */
export interface FetchContext {
  readonly cache: DiskCache;
  readonly cacheOptions: CacheOptions;
  readonly hubUrl: string;
  readonly convert: FolderConverter | undefined;
  /** @default the download's own */
  readonly connectTimeoutMs?: number;
}

/** A complete local file, or the first of several with the bytes of all. */
export interface LocatedFile {
  readonly path: string;
  readonly bytes: number;
}

/** The file of a URL, downloaded into the cache when it is not there. @throws {RivuletError} as `downloadTo` */
export function fetchUrl(
  url: string,
  key: string,
  fileName: string,
  context: FetchContext,
): Promise<LocatedFile> {
  return context.cache.fetch(
    key,
    fileName,
    async (sink, report) => {
      report({ phase: 'resolve', label: displayUrl(url) });
      await downloadTo(url, sink, {
        signal: context.cacheOptions.signal,
        connectTimeoutMs: context.connectTimeoutMs,
        onProgress: report,
        label: fileName,
      });
    },
    context.cacheOptions,
  );
}

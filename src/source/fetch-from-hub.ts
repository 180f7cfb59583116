import { readFile } from 'node:fs/promises';
import { RivuletError } from '../errors.ts';
import { fetchUrl } from './fetch-url.ts';
import type { FetchContext, LocatedFile } from './fetch-url.ts';
import { chooseHubFile, defaultHubUrl, hubFileUrl, shardsOf } from './hub.ts';
import type { HubReference } from './reference.ts';

/**
 * The file of a hub reference with all its shards, fetched into the cache.
 * @throws {RivuletError} as `downloadTo`; `REFERENCE_INVALID` for a crafted number of shards
 */
export async function fetchFromHub(reference: HubReference, context: FetchContext): Promise<LocatedFile> {
  const file = reference.file ?? (await chooseFile(reference, context));
  let first: LocatedFile | undefined;
  let bytes = 0;
  for (const shard of shardsOf(file)) {
    const { key, fileName } = hubEntry(reference, shard, context);
    const located = await fetchUrl(hubFileUrl(reference, shard, context.hubUrl), key, fileName, context);
    // The named shard may be any of them; readers start at the first.
    first ??= located;
    bytes += located.bytes;
  }
  if (first === undefined)
    throw new RivuletError('REFERENCE_INVALID', `Expected shards of "${file}", found none.`);
  return { path: first.path, bytes };
}

/** The same from the cache alone; undefined when a part is missing. */
export async function findFromHub(
  reference: HubReference,
  context: FetchContext,
): Promise<LocatedFile | undefined> {
  const file = reference.file ?? (await cachedChoice(reference, context));
  if (file === undefined) return undefined;
  let first: LocatedFile | undefined;
  let bytes = 0;
  for (const shard of shardsOf(file)) {
    const { key, fileName } = hubEntry(reference, shard, context);
    const located = await context.cache.find(key, fileName, context.cacheOptions);
    if (located === undefined) return undefined;
    first ??= located;
    bytes += located.bytes;
  }
  return first === undefined ? undefined : { path: first.path, bytes };
}

/** The choice is kept like a file, so that a fetched model opens without the network. */
async function chooseFile(reference: HubReference, context: FetchContext): Promise<string> {
  const { key, fileName } = choiceEntry(reference, context);
  const { path } = await context.cache.fetch(
    key,
    fileName,
    async (sink, report) => {
      report({ phase: 'resolve', label: `${reference.owner}/${reference.repository}` });
      const file = await chooseHubFile(reference, context.hubUrl, {
        signal: context.cacheOptions.signal,
        connectTimeoutMs: context.connectTimeoutMs,
      });
      await sink.write(new TextEncoder().encode(file));
    },
    context.cacheOptions,
  );
  return readFile(path, 'utf8');
}

async function cachedChoice(reference: HubReference, context: FetchContext): Promise<string | undefined> {
  const { key, fileName } = choiceEntry(reference, context);
  const entry = await context.cache.find(key, fileName, context.cacheOptions);
  return entry === undefined ? undefined : readFile(entry.path, 'utf8');
}

function choiceEntry(reference: HubReference, context: FetchContext): { key: string; fileName: string } {
  return hubEntry(reference, `choice-${reference.quantization ?? 'default'}.txt`, context);
}

/** Files of one folder of a repository share a key, so that shards lie side by side. */
function hubEntry(
  reference: HubReference,
  file: string,
  context: FetchContext,
): { key: string; fileName: string } {
  const parts = file.split('/');
  const host = URL.parse(context.hubUrl)?.host ?? context.hubUrl;
  const place = context.hubUrl === defaultHubUrl ? ['hf'] : ['hub', host];
  return {
    key: [...place, reference.owner, reference.repository, reference.revision.replaceAll('/', '+')]
      .concat(parts.slice(0, -1))
      .join('/'),
    fileName: parts.at(-1) ?? file,
  };
}

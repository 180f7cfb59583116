import { open, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';
import type { ByteSource } from './byte-source.ts';
import { openFileSource } from './file-source.ts';
import { extractZipEntry, readZip, type ZipEntry } from './zip.ts';

/** Files of a model that a converter may ask for, at most one folder deep: no other path of an archive is written. */
const modelFile = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*\.(?:json|txt|safetensors)$/;

const weightFiles: readonly string[] = ['model.safetensors', 'model.safetensors.index.json'];

/**
 * Unpacks the one safetensors model of an archive, or of a zip inside it, into a new folder.
 * @returns the folder, or undefined if there is no such model or more than one
 * @throws {RivuletError} as {@link extractZipEntry}
 */
export async function unpackModel(
  archive: ByteSource,
  entries: readonly ZipEntry[],
  folder: string,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const root = rootOf(entries);
  if (root !== undefined) {
    await unpackFolder(archive, entries, root, folder, report, signal);
    return folder;
  }
  const [inner, ...others] = entries.filter((entry) => entry.name.endsWith('.zip'));
  if (inner === undefined || others.length > 0) return undefined;
  const path = `${folder}.zip`;
  await writeEntries(archive, [{ entry: inner, path }], report, signal);
  const source = await openFileSource(path);
  try {
    const innerEntries = await readZip(source, signal);
    const innerRoot = rootOf(innerEntries);
    if (innerRoot === undefined) return undefined;
    await unpackFolder(source, innerEntries, innerRoot, folder, report, signal);
    return folder;
  } finally {
    await source.close();
    await rm(path, { force: true });
  }
}

/** The path, with its slash, under which a model's files lie. */
function rootOf(entries: readonly ZipEntry[]): string | undefined {
  const names = new Set(entries.map((entry) => entry.name));
  const roots = Array.from(names)
    .filter((name) => name === 'config.json' || name.endsWith('/config.json'))
    .map((name) => name.slice(0, -'config.json'.length))
    .filter((root) => weightFiles.some((file) => names.has(`${root}${file}`)));
  return roots.length === 1 ? roots[0] : undefined;
}

async function unpackFolder(
  archive: ByteSource,
  entries: readonly ZipEntry[],
  root: string,
  folder: string,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<void> {
  const files = entries.flatMap((entry) => {
    const inside = entry.name.startsWith(root) ? entry.name.slice(root.length) : '';
    return modelFile.test(inside) ? [{ entry, path: join(folder, ...inside.split('/')) }] : [];
  });
  await writeEntries(archive, files, report, signal);
}

async function writeEntries(
  archive: ByteSource,
  files: readonly { readonly entry: ZipEntry; readonly path: string }[],
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<void> {
  const totalBytes = files.reduce((total, { entry }) => total + entry.bytes, 0);
  let doneBytes = 0;
  for (const { entry, path } of files) {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'w');
    try {
      const sink: ByteSink = {
        async write(chunk) {
          let done = 0;
          while (done < chunk.length) done += (await file.write(chunk, done)).bytesWritten;
          doneBytes += chunk.length;
          report({ phase: 'extract', label: entry.name.split('/').at(-1) ?? '', doneBytes, totalBytes });
        },
      };
      await extractZipEntry(archive, entry, sink, signal);
    } finally {
      await file.close();
    }
  }
}

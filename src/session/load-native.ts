import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RivuletError } from '../errors.ts';
import type { NativeAddon } from './native-addon.ts';

const require = createRequire(import.meta.url);

/** Where ONNX Runtime's library lies in onnxruntime-node, by platform. */
const libraryNames: Readonly<Record<string, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/** The addon with the library that it needs, or why there is none. */
export type LoadedAddon =
  | { readonly addon: NativeAddon; readonly library: string }
  | { readonly missing: string };

let loaded: LoadedAddon | undefined;

/** Looks for the addon once per process: a local build, then the package for this platform. */
export function loadNativeAddon(): LoadedAddon {
  loaded ??= load();
  return loaded;
}

/** The part of file and package names that says for which platform they are, as `@napi-rs/cli` writes it. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

/** Absolute paths of what the engines of this platform load by paths that no bundler can follow. */
export function nativeFiles(): readonly string[] {
  const triple = platformTriple();
  const library = onnxRuntimeLibrary();
  const files = library === undefined ? [] : [library];
  const local = localBuild(triple);
  if (local !== undefined) return [...files, local];
  try {
    const name = `@rivulet/kernels-${triple}`;
    return [...files, require.resolve(`${name}/package.json`), require.resolve(name)];
  } catch {
    return files;
  }
}

function load(): LoadedAddon {
  const library = onnxRuntimeLibrary();
  if (library === undefined) {
    return { missing: 'onnxruntime-node has no library for this platform' };
  }
  const triple = platformTriple();
  const failures: string[] = [];
  for (const candidate of [localBuild(triple), `@rivulet/kernels-${triple}`]) {
    if (candidate === undefined) continue;
    try {
      return { addon: require(candidate) as NativeAddon, library };
    } catch (error) {
      if (!isMissing(error, candidate)) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  return {
    missing:
      failures.length > 0
        ? failures.join('; ')
        : `neither a local build nor the package @rivulet/kernels-${triple} is there`,
  };
}

/** A checkout's own build, beside the sources or beside `dist`. */
function localBuild(triple: string): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return ['../../kernels', '../../../kernels']
    .map((folder) => join(here, folder, `rivulet.${triple}.node`))
    .find((path) => existsSync(path));
}

function onnxRuntimeLibrary(): string | undefined {
  const name = libraryNames[process.platform];
  if (name === undefined) return undefined;
  const path = join(
    dirname(require.resolve('onnxruntime-node/package.json')),
    'bin',
    'napi-v6',
    process.platform,
    process.arch,
    name,
  );
  return existsSync(path) ? path : undefined;
}

function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'MODULE_NOT_FOUND' &&
    error.message.includes(name)
  );
}

function isMusl(): boolean {
  // The report names glibc's version where there is one; sockets would make it slow.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}

/** The addon, for callers who asked for it by name. @throws {RivuletError} `ENGINE_UNAVAILABLE` */
export function requireNativeAddon(): Exclude<LoadedAddon, { missing: string }> {
  const found = loadNativeAddon();
  if ('addon' in found) return found;
  throw new RivuletError(
    'ENGINE_UNAVAILABLE',
    `Expected the native engine for ${platformTriple()}, but ${found.missing}. Install the package, or build it with cargo (npm run build), or load with dialect 'portable'.`,
  );
}

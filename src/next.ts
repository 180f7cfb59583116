import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { nativeFiles } from './session/load-native.ts';

/** The part of a Next.js configuration that {@link withRivulet} touches. */
export interface NextSettings {
  /** Packages that stay out of the bundle; `rivulet` and `onnxruntime-node` are added. */
  serverExternalPackages?: string[];
  /** Files that a route takes along, by globs; the engine's thread and native libraries are added to every route. */
  outputFileTracingIncludes?: Record<string, string[]>;
}

/** Packages that must stay what they are on disk: they find threads, addons and libraries beside themselves. */
const externalPackages: readonly string[] = ['rivulet', 'onnxruntime-node'];

/**
 * Completes a Next.js configuration so that route handlers, `next start` and `output: 'standalone'` find the engine.
 * @param config of the application; its own entries stay, and a configuration function stays one
 * @param folder that the application lies in, absolute; default: the working directory
 */
export function withRivulet<Config extends object, Arguments extends unknown[]>(
  config: (...args: Arguments) => Config | Promise<Config>,
  folder?: string,
): (...args: Arguments) => Promise<Config & NextSettings>;
/**
 * Completes a Next.js configuration so that route handlers, `next start` and `output: 'standalone'` find the engine.
 * @param config of the application; its own entries stay
 * @param folder that the application lies in, absolute; default: the working directory
 */
export function withRivulet<Config extends object = NextSettings>(
  config?: Config,
  folder?: string,
): Config & NextSettings;
export function withRivulet(
  config: NextSettings | ((...args: unknown[]) => NextSettings | Promise<NextSettings>) = {},
  folder: string = process.cwd(),
): NextSettings | ((...args: unknown[]) => Promise<NextSettings>) {
  if (typeof config === 'function') {
    return async (...args) => complete(await config(...args), folder);
  }
  return complete(config, folder);
}

function complete(config: NextSettings, folder: string): NextSettings {
  const includes = config.outputFileTracingIncludes ?? {};
  return {
    ...config,
    serverExternalPackages: [...new Set([...(config.serverExternalPackages ?? []), ...externalPackages])],
    outputFileTracingIncludes: {
      ...includes,
      '/*': [...(includes['/*'] ?? []), ...enginePatterns(folder)],
    },
  };
}

/** Globs from the application's folder: the code that the engine's thread runs, and native libraries. */
function enginePatterns(folder: string): string[] {
  const toPattern = (path: string): string => relative(folder, path).split(sep).join('/');
  const source = dirname(fileURLToPath(import.meta.url));
  return [`${toPattern(source)}/**/*.js`, ...nativeFiles().map(toPattern)];
}

import { spawn } from 'node:child_process';
import { RivuletError } from '../errors.ts';
import { childEnvironment } from './cache-folder.ts';

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** Working directory, and where the tool's temporary files go. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** Enough of a tool's output to explain a failure; a chatty one must not fill memory. */
const maximumOutputLength = 64 * 1024;

/** How long a stopped tool may clean up before it is killed. */
const terminationMs = 1500;

/**
 * Runs a program of the user's and waits for its end; undefined when it is not installed. An abort
 * stops the program first.
 */
export async function runTool(
  program: string,
  tooling: readonly string[],
  options: ToolOptions,
): Promise<ToolResult | undefined> {
  options.signal?.throwIfAborted();
  const isWindows = process.platform === 'win32';
  // Windows starts command files (npm.cmd) only through its shell; references allow no shell characters.
  const child = spawn(program, tooling, {
    cwd: options.folder,
    env: childEnvironment(options.folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: isWindows,
    windowsHide: true,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-maximumOutputLength);
      options.onOutput?.(text);
    });
  }
  const stop = (): void => {
    if (isWindows && child.pid !== undefined) {
      spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true });
      return;
    }
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), terminationMs).unref();
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const exitCode = await new Promise<number | undefined>((settle, fail) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'EACCES') settle(undefined);
        else fail(error);
      });
      child.once('close', (code) => settle(code ?? -1));
      // A grandchild may hold the pipes open after an abort; the tool itself is gone then.
      child.once('exit', () => {
        if (options.signal?.aborted === true) settle(-1);
      });
    });
    options.signal?.throwIfAborted();
    // The shell's way of saying "no such program".
    if (exitCode === undefined || (isWindows && exitCode === 9009)) return undefined;
    return { exitCode, ...output };
  } finally {
    options.signal?.removeEventListener('abort', stop);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** What a tool said about its failure: its lines about errors, or its last ones. */
function explanation(text: string): string {
  const lines = text.trim().split(/\r?\n/);
  const errors = lines.filter((line) => /error/i.test(line) && !/complete log of this run/.test(line));
  return (errors.length === 0 ? lines.slice(-4) : errors.slice(0, 4)).join(' ').slice(0, 600);
}

/** @throws {RivuletError} always: `DISK_FULL`, `SOURCE_NOT_FOUND` where `missing` matches, else `DOWNLOAD_FAILED` */
export function throwToolFailure(
  tool: string,
  specification: string,
  result: ToolResult,
  missing: RegExp,
  folder: string,
): never {
  const said = explanation(result.stderr === '' ? result.stdout : result.stderr);
  const all = `${result.stderr}\n${result.stdout}`;
  const details = { tool, package: specification, exitCode: result.exitCode };
  if (/ENOSPC|EDQUOT|No space left on device/.test(all)) {
    throw new RivuletError(
      'DISK_FULL',
      `Expected room for the package ${specification} in the cache folder "${folder}", but ${tool} found the disk full. Free some space, or set RIVULET_CACHE to a folder on another disk.`,
      { details },
    );
  }
  if (missing.test(all)) {
    throw new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected ${tool} to find the package ${specification}, but the registry it is set up for has none. Check name and version. It said: ${said}`,
      { details },
    );
  }
  throw new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected ${tool} to download the package ${specification}, but it failed with exit code ${result.exitCode}. Check the network and its settings. It said: ${said}`,
    { details },
  );
}
